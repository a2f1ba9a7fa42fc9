import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { SMALL, Workplace } from './support/trainer/workplace.js';

describe("a user's error ends with one line, code 2 and nothing written:", () => {
  let workplace: Workplace;
  const taken = createServer();

  before(async () => {
    workplace = await Workplace.make();
    await mkdir(workplace.path('empty'));
    await writeFile(workplace.path('file'), 'no folder');
    await mkdir(workplace.path('texts/texts'), { recursive: true });
    for (const name of ['a.txt', 'b.jpg'])
      await writeFile(workplace.path('texts/texts', name), 'not an image, whatever its name says');
    await cp(`${workplace.images}/faces`, workplace.path('flat'), { recursive: true });
    await workplace.makeImages('few', 10);
    await workplace.makeImages('broken', 18);
    for (const name of ['0007.png', '0011.png']) await writeFile(workplace.path('broken/faces', name), '');
    await once(taken.listen(0, '127.0.0.1'), 'listening');
  });
  after(async () => {
    taken.close();
    await workplace.remove();
  });

  const port = (): number => (taken.address() as AddressInfo).port;

  const cases: readonly (readonly [string, () => readonly string[], RegExp])[] = [
    ['an unknown option', () => ['--wrokers', '2'], /unknown option '--wrokers'/],
    ['an unknown command', () => ['trian'], /there is no command trian: see --help/],
    [
      'a number that is none',
      () => ['--workers', 'two'],
      /'--workers <n>' argument 'two' is invalid. It must be/,
    ],
    ['a number in hexadecimal', () => ['--seed', '0x1'], /argument '0x1' is invalid/],
    [
      'an empty value, as of a variable that is not set',
      () => ['--data', ''],
      /coordinator: --data: expected a value, found an empty string; check the variable you passed/,
    ],
    ['a number with a unit', () => ['--batch-size', '16x'], /argument '16x' is invalid/],
    [
      'no workers',
      () => ['--workers', '0'],
      /argument '0' is invalid. It must be a whole number of at least 1/,
    ],
    [
      'no local steps',
      () => ['--local-steps', '0'],
      /'--local-steps <k>' argument '0' is invalid. It must be a whole number of at least 1/,
    ],
    ['half a local step', () => ['--local-steps', '1.5'], /argument '1.5' is invalid/],
    [
      'more local steps than a message has room for',
      () => ['--local-steps', '1001'],
      /--local-steps can be at most 1000, not 1001/,
    ],
    ['a negative seed', () => ['--seed', '-1'], /argument '-1' is invalid/],
    [
      'a learning rate of 0',
      () => ['--learning-rate', '0'],
      /the learning rate must be a number above 0, not 0/,
    ],
    ['a beta1 of 1', () => ['--beta1', '1'], /beta1 must be at least 0 and below 1, not 1/],
    ['an unknown architecture', () => ['--architecture', 'stylegan'], /Allowed choices are paper, tutorial/],
    ['an image size in between', () => ['--image-size', '48'], /Allowed choices are 32, 64, 128/],
    ['an unknown engine', () => ['--engine', 'gpu'], /Allowed choices are auto, native, wasm/],
    [
      'an engine that lacks the precision',
      () => ['--precision', 'bf16', '--engine', 'wasm'],
      /--precision bf16 needs the native engine, not wasm/,
    ],
    [
      'shards that do not divide',
      () => ['--shards', '3'],
      /16 images cannot be cut into 3 equal shards: give/,
    ],
    [
      'more workers than shards',
      () => ['--workers', '4', '--shards', '2'],
      /4 workers cannot share 2 shards/,
    ],
    [
      'a contradiction',
      () => ['--workers', '2', '--single-node'],
      /--single-node and --workers exclude each/,
    ],
    [
      'more workers needed than there are',
      () => ['--workers', '2', '--shards', '4', '--min-workers', '3'],
      /3 at least, 2 to begin with and 2 at most cannot be: --min-workers <= --workers <= --max-workers/,
    ],
    [
      'more to begin with than at most',
      () => ['--workers', '2', '--external', '--max-workers', '1'],
      /1 at least, 2 to begin with and 1 at most cannot be/,
    ],
    [
      'more workers later, which nobody starts',
      () => ['--workers', '2', '--max-workers', '4', '--shards', '4'],
      /--max-workers is for workers from elsewhere: give --external too/,
    ],
    [
      'waiting for workers that nobody starts',
      () => ['--workers', '2', '--fallback', 'wait'],
      /--fallback wait is for workers from elsewhere: give --external too/,
    ],
    ['an unknown fallback', () => ['--fallback', 'panic'], /Allowed choices are single-node, wait, stop/],
    [
      'no time to be heard',
      () => ['--liveness-timeout', '0'],
      /argument '0' is invalid. It must be a number from 0.5 to 3600/,
    ],
    ['a run folder that cannot be made', () => ['--steps', '1', '--run-dir', '/sys/no-run'], /\/sys\/no-run/],
    [
      'externals without a number',
      () => ['--external'],
      /--external needs to know how many workers will come/,
    ],
    ['an empty folder', () => ['--data', 'empty'], /empty is empty: put a folder of images into it/],
    ['a file', () => ['--data', 'file'], /file is a file: give a folder that holds/],
    [
      'a folder of texts',
      () => ['--data', 'texts'],
      /none of the 2 files in \S+texts is a readable jpeg.* 1 without an image .*; texts\/b\.jpg: not an image \(text\)\)/,
    ],
    [
      'too many broken images',
      () => ['--data', 'broken'],
      /broken: 2 of 18, --max-broken 0\.01 allows 0 \(faces\/0007\.png: empty; faces\/0011\.png: empty\): repair or/,
    ],
    ['no folder', () => ['--data', 'nowhere'], /there is no folder \S*nowhere: give/],
    [
      'a flat folder',
      () => ['--data', 'flat'],
      /flat holds images but no sub-directory: put this folder into/,
    ],
    [
      'too few images',
      () => ['--data', 'few'],
      /10 images are fewer than one batch of 16: the largest .* is 10/,
    ],
    [
      'a taken port',
      () => ['--http', `127.0.0.1:${port()}`],
      /port \d+ on 127\.0\.0\.1 is taken: give another/,
    ],
    ['no port', () => ['--http', 'localhost'], /--http localhost is not HOST:PORT/],
    [
      'a taken address',
      () => ['--workers', '2', '--listen', `tcp://127.0.0.1:${port()}`],
      /cannot listen for workers at tcp:\/\/127\.0\.0\.1:\d+: it is taken; give another with --listen/,
    ],
    [
      'no address',
      () => ['--workers', '2', '--listen', '5555'],
      /--listen 5555 is not an address: use tcp:\/\/HOST:PORT/,
    ],
    ['a run folder that is a file', () => ['--steps', '1', '--run-dir', 'file'], /a file is in the way/],
    [
      'a run folder in use',
      () => ['--steps', '1', '--run-dir', 'few'],
      /few is not empty: give --run-dir a new/,
    ],
  ];
  for (const [name, args, line] of cases) {
    it(name, async () => {
      const ending = await workplace
        .start(['--data', workplace.images, ...SMALL, '--http', '127.0.0.1:0', ...args()])
        .ended();
      const said = ending.lines.filter((each) => !/^(metrics|page) at /.test(each));
      assert.match(said[said.length - 1], line);
      assert.equal(ending.code, 2, said.join('\n'));
      assert.equal(ending.stdout, '');
      assert.equal(said.filter((each) => each.startsWith('coordinator: ')).length, 1, said.join('\n'));
      assert.ok(!said.some((each) => /^ +at /.test(each)), 'no stack trace');
      assert.ok(!existsSync(workplace.path('runs')));
    });
  }

  it('a worker without an address, or with none that can be', async () => {
    for (const [args, line] of [
      [[], /^worker: required option '--coordinator <address>' not specified$/],
      [
        ['--coordinator', 'localhost:5555'],
        /^worker: --coordinator localhost:5555 is not an address: use tcp:\/\/HOST:PORT/,
      ],
      [
        ['--coordinator', 'tcp://127.0.0.1:1', '--connect-timeout', '0'],
        /^worker: .* It must be a number above 0/,
      ],
    ] as const) {
      const { code, lines } = await workplace.startWorker(args).ended();
      assert.equal(code, 2);
      assert.match(lines[lines.length - 1], line);
    }
  });
});
