/** The TensorFlow that the engine is built of, one of the versions that tfjs-node's C++ compiles against. */
export const TENSORFLOW_VERSION = '2.21.0';

export const FLAVOURS = ['cpu', 'gpu'] as const;
export type Flavour = (typeof FLAVOURS)[number];

/** Facts that determine the engine. */
export interface Machine {
  readonly platform: string;
  readonly architecture: string;
  /** The version of the GNU C library ("2.36"), where there is one. */
  readonly glibc: string | undefined;
  readonly gpuDriver: boolean;
}

/** An engine to be had: which wheel it comes from. */
export interface Target {
  readonly flavour: Flavour;
  readonly architecture: 'x64' | 'arm64';
  /** For pip, extras included. */
  readonly requirement: string;
  /** The wheel tags this machine can run, for pip's --platform. */
  readonly platforms: readonly string[];
}

/** The engines this machine can run, best first; none where TensorFlow has no library for it. */
export function targetsOf(machine: Machine): readonly Target[] {
  const { platform, architecture, glibc, gpuDriver } = machine;
  if (platform !== 'linux' || glibc === undefined) return [];
  if (architecture === 'arm64') {
    // The one wheel for arm64 is a CPU build that does not call itself so.
    const platforms = manylinuxTags(glibc, 'aarch64');
    return [{ flavour: 'cpu', architecture, requirement: `tensorflow==${TENSORFLOW_VERSION}`, platforms }];
  }
  if (architecture !== 'x64') return [];
  const platforms = manylinuxTags(glibc, 'x86_64');
  const cpu: Target = {
    flavour: 'cpu',
    architecture,
    requirement: `tensorflow-cpu==${TENSORFLOW_VERSION}`,
    platforms,
  };
  const gpu: Target = {
    flavour: 'gpu',
    architecture,
    requirement: `tensorflow[and-cuda]==${TENSORFLOW_VERSION}`,
    platforms,
  };
  return gpuDriver ? [gpu, cpu] : [cpu];
}

/**
 * The tags of PEP 600 for a C library: built for it or for an older one, down to 2.17, which PEP 599 calls 2014.
 * pip needs each of them by name once it is told of a platform.
 */
export function manylinuxTags(glibc: string, machine: 'x86_64' | 'aarch64'): readonly string[] {
  const oldest = 17;
  const newest = Number(glibc.split('.')[1]);
  const minors = Array.from({ length: Math.max(0, newest - oldest + 1) }, (_, older) => newest - older);
  return [...minors.map((minor) => `manylinux_2_${minor}_${machine}`), `manylinux2014_${machine}`];
}
