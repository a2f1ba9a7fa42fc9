import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Faces, PackWriter, prepareFaces, Sampler, ShardBatches, faceBytes } from '../../src/data/index.js';
import { type Photographs, writePhotographs } from './photographs.js';

/** Input side by side with torchvision's; see README.md. */

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    workers: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
  },
});
const workers = Number(values.workers);
const rounds = Number(values.rounds);
const SIZE = 64;
const BATCH = 128;
const folder = mkdtempSync(join(tmpdir(), 'bench-input-'));

/** batch: small enough that each of torchvision's workers has several. */
const kinds: (Photographs & { readonly batch: number })[] = [
  { name: 'CelebA size', width: 178, height: 218, count: 12000, batch: BATCH },
  { name: '1.4 megapixels', width: 1400, height: 1000, count: 120, batch: 10 },
];

try {
  console.log(`${cpus()[0].model}, ${cpus().length} cores; ${workers} workers; medians of ${rounds} rounds`);
  for (const kind of kinds) await compareDecoding(kind);
  await readPack();
} finally {
  rmSync(folder, { recursive: true });
}

async function compareDecoding(kind: Photographs & { readonly batch: number }): Promise<void> {
  const root = await writePhotographs(folder, kind);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await decode(root));
    if (values.python !== undefined) theirs.push(decodeByTorchvision(values.python, root, kind.batch));
  }
  const ratio =
    theirs.length > 0 ? `, torchvision ${show(theirs)}: ${(median(ours) / median(theirs)).toFixed(2)}x` : '';
  console.log(`${kind.name}: decoded ${show(ours)}${ratio}`);
}

/** A whole first run: process, listing, decoding and writing the pack. */
async function decode(root: string): Promise<number> {
  const cache = join(folder, 'cache');
  const start = performance.now();
  const { decoded } = await prepareFaces({ root, size: SIZE, cache, maxBrokenShare: 0, decoders: workers });
  const seconds = (performance.now() - start) / 1000;
  rmSync(cache, { recursive: true });
  return decoded / seconds;
}

function decodeByTorchvision(python: string, root: string, batch: number): number {
  const script = join(import.meta.dirname, '../../../bench/input/torchvision_loader.py');
  return Number(
    execFileSync(python, [script, root, `${SIZE}`, `${batch}`, `${workers}`], { encoding: 'utf8' }),
  );
}

/** Batches as a worker takes them, normalised. By processor time, which others on the machine disturb less. */
async function readPack(): Promise<void> {
  const count = 20_000;
  const path = join(folder, 'bench.pack');
  const writer = await PackWriter.create(path, { size: SIZE, count });
  const face = new Uint8Array(faceBytes(SIZE)).map((_, index) => index % 251);
  for (let index = 0; index < count; index++) await writer.write(face);
  await writer.finish();

  const faces = Faces.open(path);
  const sampler = new Sampler({ count, batch: BATCH, shards: 1, seed: 0 });
  const batches = new ShardBatches(faces, sampler);
  const into = new Float32Array(batches.length);
  const speeds = Array.from({ length: rounds }, (_, round) => {
    const start = process.cpuUsage();
    for (let step = 1; step <= sampler.batchesPerEpoch; step++) {
      batches.read(round * sampler.batchesPerEpoch + step, 0, into);
    }
    const { user, system } = process.cpuUsage(start);
    return (sampler.batchesPerEpoch * BATCH * 1e6) / (user + system);
  });
  faces.close();
  console.log(`pack, shuffled batches of ${BATCH}, normalised: ${show(speeds)} of one core`);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function show(speeds: readonly number[]): string {
  return `${Math.round(median(speeds)).toLocaleString('en')} images/s`;
}
