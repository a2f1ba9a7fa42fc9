// Which way dependencies point. coordinator and worker know wire, data, model and engine;
// these know neither of the two; model does not know wire; everything may use common. The page runs in a browser:
// the coordinator knows what they say to each other, and the page nobody.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: [from, ...allowed, 'common'].map((folder) => `^src/${folder}/`) },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    only('common-knows-nobody', 'common', []),
    only('engine-knows-no-model', 'engine', []),
    only('averaging-stands-alone', 'averaging', []),
    only('model-knows-engine', 'model', ['engine', 'averaging']),
    only('data-stands-alone', 'data', []),
    only('wire-stands-alone', 'wire', []),
    only('evaluation-knows-data-and-engine', 'evaluation', ['data', 'engine']),
    only('worker-knows-no-coordinator', 'worker', ['wire', 'data', 'model', 'engine', 'averaging']),
    only('coordinator-knows-no-worker', 'coordinator', [
      ...['wire', 'data', 'model', 'engine', 'averaging', 'evaluation', 'page'],
    ]),
    only('page-stands-alone', 'page', []),
    {
      name: 'coordinator-loads-no-tensorflow',
      comment: 'Only the compute thread (src/model/replica-thread.ts) and the engine load tensors.',
      severity: 'error',
      from: { path: '^src/(coordinator|worker|wire|data|common)/' },
      to: { path: 'node_modules/@tensorflow/|^src/engine/tensorflow' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
