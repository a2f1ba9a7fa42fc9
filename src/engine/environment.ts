/** Environment variables that TensorFlow reads when it is loaded. */
export interface EngineEnvironmentOptions {
  /** Threads that one operation is split over. */
  readonly threads: number;
  /** The GPU this process may use; undefined leaves the choice to the environment. */
  readonly gpu?: number | undefined;
}

/**
 * The environment variables to set before the engine is loaded, in the process's main thread: a worker thread's
 * `process.env` is a copy that native code does not see.
 */
export function engineEnvironment({ threads, gpu }: EngineEnvironmentOptions): Record<string, string> {
  return {
    // Results are bit for bit the same only with the same number of threads.
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    // Without it TensorFlow takes the GPU's whole memory, and two programs cannot share one.
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    // TensorFlow leaves oneDNN's kernels off where the processor has no AVX512-VNNI; they are four times as fast there too.
    TF_ENABLE_ONEDNN_OPTS: '1',
    // GPU kernels that add in an order of their own would make two runs differ.
    TF_DETERMINISTIC_OPS: '1',
    // Errors only: TensorFlow's notices on start would bury the trainer's own lines.
    TF_CPP_MIN_LOG_LEVEL: process.env['TF_CPP_MIN_LOG_LEVEL'] ?? '2',
    // tfjs-node takes the last GPU it sees, so it sees one.
    ...(gpu === undefined ? {} : { CUDA_VISIBLE_DEVICES: String(gpu) }),
  };
}
