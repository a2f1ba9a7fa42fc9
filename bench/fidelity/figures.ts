import { existsSync, writeFileSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../support/program.js';
import { COORDINATOR } from '../support/trainer.js';
import type { FidelityOptions } from './options.js';

/** What `coordinator evaluate --json` says, as far as it is compared. */
export interface Figures {
  readonly faceShare: number;
  readonly realFaceShare: number;
  readonly frechetDistance: number;
  readonly realFrechetDistance: number;
  readonly nearestDistance: number;
  readonly realNearestDistance: number;
}

/** How face-like the faces of a run are. Takes minutes the first time, and is kept beside them. */
export async function figuresOf(folder: string, { data, work }: FidelityOptions): Promise<Figures> {
  const kept = join(folder, 'evaluation.json');
  if (!existsSync(kept)) {
    const args = ['evaluate', join(folder, 'faces'), '--data', data, '--count', String(work.samples)];
    const all = [COORDINATOR, ...args, '--image-size', String(work.imageSize), '--json'];
    const { stdout } = await runProgram(process.execPath, all);
    writeFileSync(`${kept}.part`, stdout);
    renameSync(`${kept}.part`, kept);
  }
  return JSON.parse(readFileSync(kept, 'utf8')) as Figures;
}
