// npm run test:cluster: brings up Kubernetes on this machine, with fake nodes and then with a real one, and runs what is
// in k8s/ there. See CONTRIBUTING.md for what it needs.
import { prepare } from './prepare.mjs';
import { orExit, runTool } from './tool.mjs';

const controlPlane = 'test/cluster/control-plane/control-plane.sh';
const tests = ['fake-nodes', 'real-node'].map((name) => `dist/test/cluster/${name}.js`);
const options = ['--enable-source-maps', '--test', '--test-concurrency=1', '--test-reporter=spec'];

await orExit(testCluster());

async function testCluster() {
  await prepare();
  await runTool('the build of the cluster', controlPlane, ['build'], { output: 1 });
  try {
    await runTool('the test run', process.execPath, [...options, ...tests], { output: 1 });
  } finally {
    // The tests end what they start; this is for one that was stopped.
    await runTool('the end of the cluster', controlPlane, ['down'], { output: 1 });
  }
}
