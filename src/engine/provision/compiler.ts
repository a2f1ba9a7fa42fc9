import { nodeHeadersFolder, type BindingSource } from './binding-source.js';
import { DAY, ProvisionFailure, RETRY } from './failure.js';
import { findTool, runTool, type Command, type ToolOptions } from './tool.js';

/** The headers that the sources include, directly or not, as the wheel has them. */
export const HEADERS: readonly string[] = [
  'tensorflow/c/c_api.h',
  'tensorflow/c/c_api_macros.h',
  'tensorflow/c/kernels.h',
  'tensorflow/c/ops.h',
  'tensorflow/c/tf_attrtype.h',
  'tensorflow/c/tf_buffer.h',
  'tensorflow/c/tf_datatype.h',
  'tensorflow/c/tf_status.h',
  'tensorflow/c/tf_tensor.h',
  'tensorflow/c/tf_tstring.h',
  'tensorflow/c/eager/c_api.h',
  'tensorflow/c/experimental/stream_executor/stream_executor.h',
  'tensorflow/core/common_runtime/next_pluggable_device/c/tf_rendezvous_c_api.h',
  'tensorflow/core/platform/ctstring.h',
  'tensorflow/core/platform/ctstring_internal.h',
  'tsl/platform/ctstring.h',
  'tsl/platform/ctstring_internal.h',
  'tsl/platform/platform.h',
  'xla/tsl/c/tsl_status.h',
];

export const LIBRARIES: readonly string[] = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

export interface Compilation {
  readonly sources: readonly string[];
  readonly includes: readonly string[];
  /** Folder of the libraries at link time. */
  readonly libraries: string;
  /** Folders of the libraries at load time, in order. */
  readonly runpath: readonly string[];
  readonly output: string;
}

export function compilerArguments({
  sources,
  includes,
  libraries,
  runpath,
  output,
}: Compilation): readonly string[] {
  return [
    ...['-O2', '-std=c++17', '-shared', '-fPIC', '-DNAPI_VERSION=8'],
    ...includes.flatMap((folder) => ['-I', folder]),
    ...sources,
    ...['-L', libraries, ...LIBRARIES.map((library) => `-l:${library}`)],
    // Not -Wl, which splits at commas, and a folder's name may have one.
    ...runpath.flatMap((folder) => ['-Xlinker', '-rpath', '-Xlinker', folder]),
    // TensorFlow runs handlers at exit: the binding must not be unloaded with the thread that loaded it.
    ...['-Xlinker', '-z', '-Xlinker', 'nodelete'],
    ...['-o', output],
  ];
}

/** $CXX, which may have options, or whatever C++ compiler there is. */
export async function findCompiler(options: ToolOptions): Promise<Command> {
  const [own = '', ...ownOptions] = (options.environment['CXX'] ?? '').trim().split(/\s+/);
  const candidates: Command[] = own === '' ? [['g++'], ['c++'], ['clang++']] : [[own, ...ownOptions]];
  const compiler = await findTool(candidates, ['--version'], options);
  if (compiler) return compiler;
  throw own === ''
    ? new ProvisionFailure('g++ is missing', `install g++ (Debian: apt-get install g++) and ${RETRY}`)
    : new ProvisionFailure(
        `the compiler that CXX names, ${own}, cannot be run`,
        `set CXX to a C++ compiler or unset it, and ${RETRY}`,
      );
}

/** Compiles the binding in the engine's folder, against the libraries and headers that are in there already. */
export async function compileBinding(
  compiler: Command,
  source: BindingSource,
  paths: {
    readonly libraries: string;
    readonly headers: string;
    readonly finalLibraries: string;
    readonly output: string;
  },
  options: ToolOptions,
): Promise<void> {
  const compilation: Compilation = {
    sources: source.files,
    includes: [paths.headers, nodeHeadersFolder()],
    libraries: paths.libraries,
    // By the first it loads from wherever the folder is moved, by the second also as a copy elsewhere.
    runpath: ['$ORIGIN/tensorflow', paths.finalLibraries],
    output: paths.output,
  };
  const { code, errors } = await runTool([...compiler, ...compilerArguments(compilation)], options);
  if (code === 0) return;
  const cause = errors.split('\n').find((line) => /error|No space left/.test(line)) ?? 'no message';
  throw new ProvisionFailure(
    `${compiler[0]} could not compile TensorFlow's binding for Node (${cause.trim()})`,
    `see that it compiles C++17 and ${RETRY}`,
    DAY,
  );
}
