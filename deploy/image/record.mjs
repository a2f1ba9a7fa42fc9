// The image's bill of materials, in CycloneDX's format: npm's packages, the engine's, Node and Debian's. Also gives the
// engine's list of files the sizes they have without symbols.
import { readFile, writeFile } from 'node:fs/promises';
import { writeManifest } from '../../dist/src/engine/provision/engine-folder.js';

const engineFolder = '/opt/dcgan/engine';
const engine = JSON.parse(await readFile(`${engineFolder}/engine.json`, 'utf8'));
await writeManifest(engineFolder, engine.flavour, engine.packages, Object.keys(engine.sizes));

const bill = JSON.parse(await readFile('/npm-packages.json', 'utf8'));
bill.metadata.component.name = 'dcgan-trainer'; // npm takes the folder's
for (const component of bill.components) {
  // Where this build fetched it from is of no use to anybody else.
  component.externalReferences = component.externalReferences?.filter(({ type }) => type !== 'distribution');
}
bill.components.push(
  ...engine.packages.map(({ name, version, sha256 }) => ({
    ...component('pypi', name, version),
    ...(sha256 && { hashes: [{ alg: 'SHA-256', content: sha256 }] }),
  })),
  component('generic', 'node', process.versions.node),
  ...(await debianPackages()),
);
await writeFile('/opt/dcgan/bill-of-materials.cdx.json', `${JSON.stringify(bill, null, 1)}\n`);

async function debianPackages() {
  const lines = (await readFile('/debian-packages', 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const [name, version, architecture] = line.split(' ');
    return component('deb/debian', name, version, `?arch=${architecture}`);
  });
}

function component(type, name, version, qualifiers = '') {
  const purl = `pkg:${type}/${name}@${encodeURIComponent(version)}${qualifiers}`;
  return { type: 'library', name, version, purl, 'bom-ref': purl };
}
