import { UserError } from '../common/errors.js';

export const ENGINE_NAMES = ['native', 'wasm'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** `auto` is native where it is installed, wasm elsewhere. */
export const ENGINE_CHOICES = ['auto', ...ENGINE_NAMES] as const;
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

export const PRECISIONS = ['fp32', 'bf16'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Engine of this process. */
export interface Engine {
  readonly name: EngineName;
  /** TensorFlow's version (native) or TensorFlow.js's (wasm). Runs that mix versions are not bit-exact. */
  readonly version: string;
  readonly device: 'cpu' | 'gpu';
  readonly precisions: readonly Precision[];
}

/** One short name of everything that decides a result's bits, to compare between processes. */
export function engineIdentity({ name, version, device }: Engine): string {
  return `${name} ${version} ${device}`;
}

export class EngineUnavailable extends UserError {
  constructor(reason: string, remedy: string) {
    super(`the native engine cannot be used: ${reason}; ${remedy}, or take --engine wasm`);
  }
}
