import { PROTOCOL_VERSION } from '../../../wire/codec.js';
import type { Bodies } from '../../../wire/message.js';

/** Facts on which all workers of a run must agree. */
export interface Agreement {
  readonly optionsHash: string;
  readonly datasetFingerprint: string;
  /** The engine of the worker that was admitted first; undefined until then. */
  readonly engine: string | undefined;
}

/** Returns why a worker that says hello can never take part, or undefined if it can. */
export function refuseHello({ protocol }: Bodies['hello']): string | undefined {
  return protocol === PROTOCOL_VERSION
    ? undefined
    : `it speaks protocol ${protocol}, the coordinator ${PROTOCOL_VERSION}: use the same version of both`;
}

/** Why a worker that is ready cannot take part: what differs, by name. An engine's version is part of its name. */
export function refuseReady(ready: Bodies['ready'], agreement: Agreement): string | undefined {
  if (ready.optionsHash !== agreement.optionsHash)
    return 'it understood other options: use the same version of both';
  if (ready.datasetFingerprint !== '' && ready.datasetFingerprint !== agreement.datasetFingerprint)
    return 'it has other images: give its --data the folder of the run, or leave that out';
  if (agreement.engine !== undefined && ready.engine !== agreement.engine)
    return `it has engine ${ready.engine}, the other workers ${agreement.engine}: all must have the same`;
  return undefined;
}
