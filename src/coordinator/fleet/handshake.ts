import { PROTOCOL_VERSION } from '../../wire/codec.js';
import type { Bodies } from '../../wire/message.js';

/** What every worker of a run must agree on. */
export interface Agreement {
  readonly optionsHash: string;
  readonly datasetFingerprint: string;
  /** The engine of the worker that was admitted first; undefined until then. */
  readonly engine: string | undefined;
}

/**
 * Why a worker that says hello can never take part, or undefined where it can. A stranger: the run starts its own
 * workers, and this is none of them.
 */
export function refuseHello({ protocol }: Bodies['hello'], isStranger: boolean): string | undefined {
  if (protocol !== PROTOCOL_VERSION)
    return `it speaks protocol ${protocol}, the coordinator ${PROTOCOL_VERSION}: use the same version of both`;
  return isStranger
    ? 'the run starts its own workers: start the coordinator with --external for others'
    : undefined;
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
