import { access, cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root, runPackageTool } from './tool.mjs';

/** Each schema, and the folder that its code lies in. */
const schemas = [
  { name: 'trainer', folder: 'src/wire/generated' },
  { name: 'tensorflow', folder: 'src/engine/recording/generated' },
];

/** The protobuf code and its types. Whether it is up to date the build knows, which hashes the .proto too. */
export async function generateProtocol(workFolder, lock) {
  for (const { name, folder } of schemas) {
    const made = join(workFolder, 'generated');
    await mkdir(made, { recursive: true });
    const options = ['--target', 'static-module', '--wrap', 'esm', '--dts'];
    options.push('--out', join(made, `${name}.js`));
    await runPackageTool('protobufjs', 'protobufjs-cli/bin/pbjs', [...options, `proto/${name}.proto`], {
      lock,
    });
    await rm(join(root, folder), { recursive: true, force: true });
    await rename(made, join(root, folder));
  }
}

/** tsc leaves the generated code where it is: dist needs it too. */
export async function copyProtocol(dist) {
  for (const { folder } of schemas) await cp(join(root, folder), join(dist, folder), { recursive: true });
}

/** The generated files are not in git: a clone lacks them although its dist may be of these very inputs. */
export async function isProtocolMissing() {
  const files = schemas.flatMap(({ name, folder }) =>
    [`${name}.js`, `${name}.d.ts`].map((file) => access(join(root, folder, file))),
  );
  return Promise.all(files).then(
    () => false,
    () => true,
  );
}
