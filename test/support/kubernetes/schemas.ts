import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { KubernetesObject } from './objects.js';

interface Schemas {
  /** Name of the schema by apiVersion/kind. */
  readonly kinds: Readonly<Record<string, string>>;
  readonly definitions: object;
}

const fixture = new URL('../../../../test/fixtures/kubernetes/schemas.json', import.meta.url);
const { kinds, definitions } = JSON.parse(readFileSync(fixture, 'utf8')) as Schemas;
const ajv = new Ajv({ allErrors: true, strict: false }).addSchema({ $id: 'kubernetes', definitions });

/** What Kubernetes' and JobSet's own schemas have against an object, fields that they do not know included. */
export function schemaErrors(object: KubernetesObject): string[] {
  const kind = `${object.apiVersion}/${object.kind}`;
  if (!(kind in kinds))
    return [`there is no schema for ${kind}: add it to test/fixtures/kubernetes/make.mjs`];
  ajv.validate(`kubernetes#/definitions/${kinds[kind]}`, object);
  return (ajv.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${object.kind} ${object.metadata.name}${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
  );
}
