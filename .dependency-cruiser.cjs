// The order of the rooms under src/: a room may import from those in the lines above its own, and from itself.
const ORDER = [
  ['common'],
  ['engine', 'data', 'wire', 'averaging'],
  ['model'],
  ['options'],
  ['formats', 'sampling'],
  ['run'],
  ['evaluation'],
  ['monitoring'],
  ['worker', 'coordinator'],
  ['cli'],
];

const rules = ORDER.flatMap((rooms, level) =>
  rooms.map((room) => ({
    name: `${room}-imports-only-from-above`,
    severity: 'error',
    from: { path: `^src/${room}/` },
    to: { path: '^src/', pathNot: [...ORDER.slice(0, level).flat(), room].map((name) => `^src/${name}/`) },
  })),
);

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...rules,
    {
      name: 'only-rooms-in-the-order',
      severity: 'error',
      from: { path: '^src/', pathNot: ORDER.flat().map((room) => `^src/${room}/`) },
      to: {},
    },
    {
      name: 'page-imports-nothing',
      comment: 'The page runs in a browser.',
      severity: 'error',
      from: { path: '^src/monitoring/page/' },
      to: { path: '^src/', pathNot: '^src/monitoring/page/' },
    },
    {
      name: 'only-compute-loads-tensorflow',
      comment: 'Only the compute thread (src/model/replica-thread.ts) and the engine load tensors.',
      severity: 'error',
      from: {
        path: '^src/(cli|coordinator|worker|monitoring|run|options|formats|sampling|wire|data|common)/',
      },
      to: { path: 'node_modules/@tensorflow/|^src/engine/tensorflow' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
