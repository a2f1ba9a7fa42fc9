import { stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { codeOf, messageOf, UserError } from '../common/errors.js';
import type { Network } from '../model/architecture.js';
import type { ExportFormat } from './weights-config.js';

/** Path of weights, and their network. */
export interface FoundWeights {
  readonly format: ExportFormat;
  readonly folder: string;
  readonly files: ReadonlyMap<Network, string>;
}

/**
 * A folder holds the generator and, of PyTorch's, the discriminator or not. A file that is named is the generator:
 * model.json of TensorFlow.js, or PyTorch's.
 */
export async function findWeights(path: string): Promise<FoundWeights> {
  const kind = await kindOf(path);
  if (kind === undefined)
    throw new UserError(
      `there is no ${path}: give --init what \`coordinator export\` has written, or PyTorch`,
    );
  if (kind === 'file') {
    const format = extname(path) === '.json' ? 'tfjs' : 'pytorch';
    return { format, folder: dirname(path), files: new Map([['generator', path]]) };
  }
  const inside = async (name: string): Promise<string | undefined> =>
    (await kindOf(join(path, name))) === 'file' ? join(path, name) : undefined;
  const model = await inside('model.json');
  const generator = await inside('generator.safetensors');
  const discriminator = await inside('discriminator.safetensors');
  if (model !== undefined && generator !== undefined)
    throw new UserError(
      `${path} holds both model.json and generator.safetensors: give --init one of the two`,
    );
  if (model !== undefined) return { format: 'tfjs', folder: path, files: new Map([['generator', model]]) };
  if (generator !== undefined) {
    const files = new Map<Network, string>([['generator', generator]]);
    if (discriminator !== undefined) files.set('discriminator', discriminator);
    return { format: 'pytorch', folder: path, files };
  }
  throw new UserError(
    (await inside('options.json')) === undefined
      ? `${path} holds neither generator.safetensors nor model.json: give --init a folder that does`
      : `${path} is a run: give --init what \`coordinator export\` makes of it, or resume it with --resume`,
  );
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw new UserError(`${path} cannot be read (${messageOf(error)})`);
  }
}
