import type { Guide } from '../common/brief-help.js';

const RUN = 'runs/00000';

/** Short `--help` of each command. `--help-all` has the remaining options. */
export const COMMAND_GUIDES: Readonly<Record<string, Guide>> = {
  coordinator: {
    examples: [
      {
        what: 'train on your own photographs with two local workers',
        line: 'coordinator --data ~/faces --workers 2',
      },
      {
        what: 'generate faces from that run',
        line: `coordinator generate ${RUN} --count 16 --out faces.png`,
      },
      { what: 'show its page in a browser', line: `coordinator view ${RUN}` },
    ],
  },
  'coordinator train': {
    examples: [
      {
        what: 'train on your own photographs, in a size for CPUs',
        line: 'coordinator --data ~/faces --architecture tutorial --image-size 32',
      },
      {
        what: 'train with four workers on other machines (coordinator keys, worker)',
        line: 'coordinator --data ~/faces --workers 4 --external --keys ~/dcgan-keys \\\n  --listen tcp://0.0.0.0:5555',
      },
      { what: 'resume a run and train longer', line: `coordinator --resume ${RUN} --epochs 40` },
    ],
    usual: [
      ...['--data', '--workers', '--external', '--keys'],
      ...['--architecture', '--image-size', '--batch-size', '--epochs', '--seed'],
      ...['--run-dir', '--resume', '--http', '--dry-run'],
    ],
  },
  'coordinator summary': {
    examples: [
      { what: "the paper's networks", line: 'coordinator summary' },
      {
        what: "PyTorch's tutorial, larger images",
        line: 'coordinator summary --architecture tutorial --image-size 128',
      },
      { what: 'the networks of a run', line: `coordinator summary ${RUN}` },
    ],
  },
  'coordinator plot': {
    examples: [
      { what: 'also while it is training', line: `coordinator plot ${RUN}` },
      { what: 'with smoothed curves over the losses', line: `coordinator plot ${RUN} --smooth 0.9` },
    ],
  },
  'coordinator view': {
    examples: [
      { what: 'a finished run, or one that another coordinator trains', line: `coordinator view ${RUN}` },
      { what: 'all runs of a folder', line: 'coordinator view runs' },
      {
        what: 'for other machines',
        line: `coordinator view runs --http 0.0.0.0:9465 \\\n  --http-token-file ~/dcgan-keys/http.token`,
      },
    ],
  },
  'coordinator generate': {
    examples: [
      { what: 'a grid of 16 faces', line: `coordinator generate ${RUN} --count 16 --seed 7 --out faces.png` },
      { what: 'a thousand files', line: `coordinator generate ${RUN} --each --count 1000 --out faces` },
      {
        what: 'from one face to another',
        line: `coordinator generate ${RUN} --between 3 7 --out between.gif`,
      },
      {
        what: 'arithmetic on faces, as in figure 7 of the DCGAN paper',
        line: `coordinator generate ${RUN} --arithmetic "1,2,3 - 4,5,6 + 7,8,9" \\\n  --out sum.png`,
      },
    ],
  },
  'coordinator evaluate': {
    examples: [
      { what: "a run's newest checkpoint", line: `coordinator evaluate ${RUN}` },
      {
        what: 'an earlier one, for a program to read',
        line: `coordinator evaluate ${RUN} --step 500 --json`,
      },
      {
        what: 'images from another program',
        line: 'coordinator evaluate drawn-by-pytorch --data ~/faces --image-size 64',
      },
    ],
  },
  'coordinator export': {
    examples: [
      {
        what: "for PyTorch: state_dicts of the tutorial's classes",
        line: `coordinator export ${RUN} --format pytorch --out for-pytorch`,
      },
      { what: 'for a web page', line: `coordinator export ${RUN} --format tfjs --out for-a-page` },
      {
        what: 'of an earlier checkpoint',
        line: `coordinator export ${RUN}/checkpoints/step-000500.safetensors \\\n  --format tfjs --out earlier`,
      },
    ],
  },
  'coordinator dataset': {
    examples: [
      { what: 'the images of a run without --data', line: 'coordinator dataset drawn' },
      { what: 'a hundred others', line: 'coordinator dataset drawn-100 --count 100 --seed 1' },
    ],
  },
  'coordinator keys': {
    examples: [
      { what: 'for two workers', line: 'coordinator keys ~/dcgan-keys --workers gpu-a gpu-b' },
      { what: 'another one, later', line: 'coordinator keys ~/dcgan-keys --workers gpu-c' },
      { what: 'for Kubernetes', line: 'coordinator keys ~/dcgan-keys --kubernetes | kubectl apply -f -' },
    ],
  },
  'coordinator engine': {
    examples: [
      { what: 'which engine is used here, and if not native, why', line: 'coordinator engine status' },
      { what: 'retry after installing what was missing', line: 'coordinator engine install' },
    ],
  },
  'coordinator engine install': {
    examples: [
      { what: 'for the device of this machine', line: 'coordinator engine install' },
      { what: 'for the CPU, on a machine with a GPU', line: 'coordinator engine install --flavour cpu' },
    ],
  },
  'coordinator engine status': {
    examples: [
      { what: 'the default engine', line: 'coordinator engine status' },
      { what: 'the engine that runs on every platform', line: 'coordinator engine status --engine wasm' },
    ],
  },
};
