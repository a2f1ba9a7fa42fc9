// npm test: sets up what is missing (the build is the type check), then lints and runs every test.
// npm test -- WORD...: only the tests whose file name has one of the words in it, and no linting.
// npm run test:containers: only those that build images and run them, which not every machine can.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare } from './prepare.mjs';
import { orExit, root, runPackageTool, runTool, StepFailure } from './tool.mjs';

const containers = process.argv.includes('--containers');
const words = process.argv.slice(2).filter((word) => word !== '--containers');

const checks = [
  { name: 'eslint', script: 'eslint/bin/eslint.js', options: ['--max-warnings=0', '.'] },
  { name: 'prettier', script: 'prettier/bin/prettier.cjs', options: ['--check', '--log-level=warn', '.'] },
  { name: 'dependency-cruiser', script: 'dependency-cruiser/bin/dependency-cruise.mjs', options: ['src'] },
];

await orExit(testAll());

async function testAll() {
  await prepare();
  const files = await testFiles();
  if (words.length === 0 && !containers) {
    for (const { name, script, options } of checks) {
      console.log(`== ${name}`);
      await runPackageTool(name, script, options, { output: 1 });
    }
    console.log('== prose');
    await runTool('prose', process.execPath, ['scripts/prose.mjs'], { output: 1 });
  }
  console.log(`== tests (${files.length} files)`);
  // One file at a time: tests start real trainers, which take the machine's cores.
  const reporters = ['spec', pathToFileURL(join(root, 'scripts/closing-reporter.mjs')).href];
  const options = [
    ...['--enable-source-maps', '--test', '--test-concurrency=1'],
    ...reporters.flatMap((name) => [`--test-reporter=${name}`, '--test-reporter-destination=stdout']),
  ];
  await runTool('the test run', process.execPath, [...options, ...files], { output: 1 });
  if (words.length === 0 && !containers)
    console.log('== left out: tests of container images; npm run test:containers (see CONTRIBUTING.md)');
}

/** An explicit list: given a pattern that matches nothing, Node 20 runs no test and is content. */
async function testFiles() {
  const names = await readdir(join(root, 'dist/test'), { recursive: true });
  const files = names
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => name.startsWith('containers') === containers)
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .sort();
  if (files.length === 0)
    throw new StepFailure(`no test file has ${words.join(' or ') || 'been built'} in its name`);
  return files.map((name) => join('dist/test', name));
}
