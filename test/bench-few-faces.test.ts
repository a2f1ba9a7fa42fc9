import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readEvaluation } from '../bench/support/evaluated-run.js';
import { parseOptions } from '../bench/few-faces/options.js';
import { SETTINGS } from '../bench/few-faces/settings.js';
import { tableLines } from '../bench/few-faces/table.js';

describe('the table of options for few faces', () => {
  it('has means over the seeds, with least and most, and a dash where nothing was measured', () => {
    const evaluations = [
      { faceShare: 0.5, frechetDistance: 3 },
      { faceShare: 0.25, frechetDistance: 1 },
    ];
    const lines = tableLines([
      { setting: 'none', count: 500, evaluations },
      { setting: 'ema mirror', count: 500, evaluations: evaluations.slice(0, 1) },
      { setting: 'none', count: 4000, evaluations: [] },
    ]);
    assert.deepEqual(lines.slice(2), [
      '| `none` | 37.5 % (25.0 to 50.0) | 2.0000 (1.0000 to 3.0000) | - | - |',
      '| `--ema --mirror` | 50.0 % (50.0 to 50.0) | 3.0000 (3.0000 to 3.0000) | - | - |',
    ]);
    assert.match(lines[0], /^\| {2}\| 500 faces: .* \| 4,000 faces: /);
  });

  it('is of evaluations that have both numbers', () => {
    const evaluation = { faceShare: 0.5, frechetDistance: 3 };
    assert.deepEqual(readEvaluation(JSON.stringify({ ...evaluation, count: 7 })), evaluation);
    assert.throws(() => readEvaluation('{"faceShare":0.5}'), /has no faceShare and frechetDistance/);
  });

  it('is of the runs that are asked for', () => {
    const { counts, seeds, settings } = parseOptions(['--seeds', '0,4', '--settings', 'none,r1']);
    assert.deepEqual(
      [counts, seeds],
      [
        [500, 4000],
        [0, 4],
      ],
    );
    assert.deepEqual(settings, [SETTINGS[0], SETTINGS[4]]);
    assert.throws(() => parseOptions(['--settings', 'hue']), /--settings takes none,.*, not hue/);
    assert.throws(() => parseOptions(['--faces', '500,']), /--faces takes whole numbers of at least 1/);
  });
});
