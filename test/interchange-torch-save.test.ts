import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { floatsOf } from '../src/common/bytes.js';
import { UserError } from '../src/common/errors.js';
import { readPyTorch } from '../src/formats/read-pytorch.js';
import { skipWithout } from './support/optional-tools.js';
import { findPyTorch, run } from './support/python.js';

/** Writes files of torch.save into the folder argv[1]. The weights of every generator count up from 0. */
const MAKE = `
import sys, torch
from collections import OrderedDict
folder = sys.argv[1]

def counting(*shape):
    return torch.arange(float(torch.Size(shape).numel())).reshape(shape)

def state(weight, **more):
    return OrderedDict([("main.0.weight", weight), ("main.1.num_batches_tracked", torch.tensor(7)), *more.items()])

G, D = state(counting(2, 3, 4, 4)), state(-counting(2, 3, 4, 4))
torch.save(G, f"{folder}/netG.pth")
both = {"epoch": 3, "loss": 0.5, "netD": D, "netG": G, "optimizerG": {"state": {}, "param_groups": []}}
torch.save(both, f"""{folder}/it's a "G" $HOME \`x\`.pth""")
torch.save(state(counting(2, 3, 4, 4).to(memory_format=torch.channels_last)), f"{folder}/two\\nlines.pth")
half = state(counting(2, 3, 4, 4).half())
torch.save({"discriminator": D, "generator": half}, f"{folder}/old.pth", _use_new_zipfile_serialization=False)
`;

const FILES = {
  'a state_dict': 'netG',
  'both networks, and a path with quotes': 'it\'s a "G" $HOME `x`',
  'channels_last weights, and a path of two lines': 'two\nlines',
  'half precision, under another name, in the old format': 'old',
};

describe('the command that converts a file of torch.save', { skip: skipWithout('PyTorch') }, () => {
  let folder: string;
  let python: string;
  before(async () => {
    python = findPyTorch() ?? '';
    folder = await mkdtemp(join(tmpdir(), 'dcgan-torch-save-'));
    await run(python, ['-c', MAKE, folder]);
  });
  after(() => rm(folder, { recursive: true }));

  for (const [what, name] of Object.entries(FILES))
    it(`is right for ${what}`, async () => {
      const message = await readPyTorch(join(folder, `${name}.pth`)).then(
        () => assert.fail('it was read'),
        (error: unknown) => (error instanceof UserError ? error.message : assert.fail(String(error))),
      );
      const command = /: python3 (?<rest>-c '.*)$/.exec(message)?.groups?.['rest'];
      assert.ok(command, message);
      const out = await mkdtemp(join(folder, 'out-'));
      // As a user of bash pastes it, with a Python that has PyTorch.
      await run('bash', ['-c', `"$0" ${command}`, python], out);
      const { tensors } = await readPyTorch(join(out, 'generator.safetensors'));
      assert.deepEqual(
        [...tensors].map(([key, { dtype, shape }]) => [key, dtype, shape]),
        [
          ['main.0.weight', 'F32', [2, 3, 4, 4]],
          ['main.1.num_batches_tracked', 'I64', []],
        ],
      );
      const weight = await tensors.get('main.0.weight')?.read();
      assert.ok(weight);
      assert.deepEqual(
        [...floatsOf(weight)],
        Array.from({ length: 96 }, (_, i) => i),
      );
    });
});
