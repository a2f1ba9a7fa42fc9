import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/common/errors.js';
import { median } from '../support/median.js';
import { matmulRates, type Rates } from './matmul-rates.js';
import type { BenchOptions } from './options.js';
import { INSTALL, type Interpreters } from './peers.js';
import { labelOf, rowsFor, type Device, type Row } from './rows.js';
import { runRow, type Measured } from './run-row.js';
import type { Result } from './table.js';

export interface Outcome {
  readonly results: readonly Result[];
  /** Medians over the rounds. */
  readonly rates: Readonly<Partial<Record<Device, Rates>>>;
}

/** In each round every row runs once. A row that cannot run is left out from then on, with a line that says why. */
export async function runRounds(options: BenchOptions): Promise<Outcome> {
  const { interpreters, machine, pattern, rounds, work } = options;
  const results = new Map<Row, Measured[]>();
  const rates = new Map<Device, Rates[]>();
  const folder = mkdtempSync(join(tmpdir(), 'bench-step-'));
  try {
    const chosen = rowsFor(machine).filter((row) => pattern.test(labelOf(row)));
    let rows = atHand(chosen, interpreters);
    for (let round = 1; round <= rounds; round++) {
      for (const device of new Set(rows.map((row) => row.device))) {
        const measured = await matmulRates(interpreters, device, machine.threads);
        if (measured) append(rates, device, measured);
      }
      if (round === 1) rows = withBf16(rows, rates);
      for (const row of rows) {
        try {
          const measured = await runRow(row, work, interpreters, join(folder, 'run'));
          append(results, row, measured);
          console.log(`round ${round}: ${labelOf(row)}: ${measured.imagesPerSecond.toFixed(1)} images/s`);
        } catch (error) {
          console.log(`left out: ${labelOf(row)}: ${messageOf(error)}`);
          rows = rows.filter((other) => other !== row);
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return {
    results: [...results].map(([row, measured]) => ({ row, rounds: measured })),
    rates: Object.fromEntries([...rates].map(([device, all]) => [device, medianRates(all)])),
  };
}

/** Leaves out the rows of a peer that no Python was given for. */
function atHand(rows: readonly Row[], interpreters: Interpreters): Row[] {
  for (const peer of ['pytorch', 'keras'] as const)
    if (interpreters[peer] === undefined && rows.some(({ program }) => program === peer))
      console.log(`left out: ${peer}: ${INSTALL[peer]}`);
  return rows.filter(({ program }) => program === 'trainer' || interpreters[program] !== undefined);
}

/** Leaves out bf16 where a device has none: it is emulated there, in PyTorch at a hundredth of the speed of fp32. */
function withBf16(rows: readonly Row[], rates: ReadonlyMap<Device, readonly Rates[]>): Row[] {
  const emulated = [...rates].filter(([, [{ fp32, bf16 }]]) => bf16 < fp32).map(([device]) => device);
  for (const device of emulated)
    if (rows.some((row) => row.precision === 'bf16' && row.device === device))
      console.log(`left out: bf16 on the ${device}: its matrix products are slower than those in fp32`);
  return rows.filter(({ precision, device }) => precision !== 'bf16' || !emulated.includes(device));
}

function medianRates(all: readonly Rates[]): Rates {
  return { fp32: median(all.map(({ fp32 }) => fp32)), bf16: median(all.map(({ bf16 }) => bf16)) };
}

function append<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}
