import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root, runPackageTool } from './tool.mjs';

const folder = 'src/wire/generated';

/** The protobuf code and its types. Whether it is up to date the build knows, which hashes the .proto too. */
export async function generateProtocol(workFolder, lock) {
  const made = join(workFolder, 'generated');
  await mkdir(made, { recursive: true });
  const options = ['--target', 'static-module', '--wrap', 'esm', '--dts'];
  options.push('--out', join(made, 'trainer.js'));
  await runPackageTool('protobufjs', 'protobufjs-cli/bin/pbjs', [...options, 'proto/trainer.proto'], {
    lock,
  });
  await rm(join(root, folder), { recursive: true, force: true });
  await rename(made, join(root, folder));
}

/** The generated files are not in git: a clone lacks them although its dist may be of these very inputs. */
export async function isProtocolMissing() {
  const files = ['trainer.js', 'trainer.d.ts'].map((name) => access(join(root, folder, name)));
  return Promise.all(files).then(
    () => false,
    () => true,
  );
}
