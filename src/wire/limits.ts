/** Arrays travel in chunks: ZeroMQ's limits count messages, and a chunk can be used while others are on their way. */
export const CHUNK_BYTES = 1024 * 1024;

/** The largest frame that a socket accepts. A larger one closes its sender's connection. */
export const MAX_FRAME_BYTES = CHUNK_BYTES + 64 * 1024;

/**
 * Limits of messages that hold for every run, see docs/protocol.md. They are checked first, so that invalid input
 * costs neither memory nor log lines.
 */
export const LIMITS = {
  /** Limit of an envelope, checked before decoding. An assignment of the most shards has 380 KB. */
  envelopeBytes: 512 * 1024,
  runCharacters: 64,
  hostCharacters: 255,
  processCharacters: 64,
  secretCharacters: 64,
  engineCharacters: 200,
  reasonCharacters: 1000,
  optionsCharacters: 64 * 1024,
  /** Shards and workers are numbered from 0; these are how many there can be. */
  shards: 65_536,
  workers: 65_536,
  /** Shards and the sums of them. */
  operands: 2 * 65_536,
  /** Chunks of a vector: 1 GiB in the smallest ones. */
  parts: 16_384,
  /** Those of 1,000 local steps. */
  measureBytes: 28_000,
  peerAddresses: 4,
  keyCharacters: 40,
  tokenCharacters: 64,
  computeSeconds: 24 * 3600,
  /** An hour is the most that can be given, with --liveness-timeout. */
  livenessMilliseconds: 3_600_001,
} as const;
