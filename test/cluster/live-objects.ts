/** What the API server says of objects, as far as tests ask. */

import type { KubernetesObject, Labels, PodSpec } from '../support/kubernetes/objects.js';

export interface List<T> {
  readonly items: readonly T[];
}

export interface Pod extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & {
    readonly uid: string;
    readonly labels: Labels;
    readonly deletionTimestamp?: string;
  };
  readonly spec: PodSpec & { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly {
      readonly state: { readonly terminated?: { readonly exitCode: number; readonly reason: string } };
    }[];
  };
}

export interface Condition {
  readonly type: string;
  readonly status: string;
}

export interface Budget {
  readonly status: {
    readonly expectedPods: number;
    readonly desiredHealthy: number;
    readonly currentHealthy: number;
  };
}

export interface WithConditions {
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly restarts?: number;
    readonly failed?: number;
  };
}

export interface EndpointSlice {
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly conditions: { readonly ready: boolean };
  }[];
}

export function has(
  object: { readonly status?: { readonly conditions?: readonly Condition[] } },
  type: string,
): boolean {
  return object.status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false;
}
