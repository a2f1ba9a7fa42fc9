import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../common/atomic-file.js';
import { codeOf, messageOf, UserError } from '../common/errors.js';

/** The one class of the image folder. */
const CLASS = 'drawn';
/** Says whose folder it is. Beside the class folder, where an image folder's readers do not look. */
export const MARK = 'drawn-faces.json';
/** Raise it when the same seed would give other faces than before. */
const DRAWING_VERSION = 1;

/** An image folder of drawn faces. Each file is written under another name first: one that is there is whole. */
export class DrawnFolder {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Opens or begins the folder. A folder that holds anything else, or other faces, is a UserError. */
  static async open(root: string, seed: number): Promise<DrawnFolder> {
    const mark = JSON.stringify({ drawing: DRAWING_VERSION, seed });
    const entries = createFolder(root);
    if (entries.includes(MARK)) {
      if (readFileSync(join(root, MARK), 'utf8') !== mark) {
        throw new UserError(
          `${root} holds faces drawn from another seed or by another version: name another folder`,
        );
      }
    } else if (entries.length > 0) {
      throw new UserError(`${root} is not empty and holds no drawn faces: name a new folder`);
    }
    mkdirSync(join(root, CLASS), { recursive: true });
    if (!entries.includes(MARK)) await writeFileAtomically(join(root, MARK), mark);
    return new DrawnFolder(root);
  }

  pathOf(index: number): string {
    return join(this.#root, CLASS, `${index.toString().padStart(5, '0')}.png`);
  }

  /** Which of the first `count` faces are not there yet. More than `count` are a UserError. */
  missing(count: number): number[] {
    const present = readdirSync(join(this.#root, CLASS)).filter((name) => name.endsWith('.png')).length;
    if (present > count) {
      throw new UserError(
        `${this.#root} holds ${present} drawn faces, more than ${count}: name another folder`,
      );
    }
    return Array.from({ length: count }, (_, index) => index).filter((index) => !this.#has(index));
  }

  #has(index: number): boolean {
    const stat = statSync(this.pathOf(index), { throwIfNoEntry: false });
    return stat !== undefined && stat.size > 0; // A power cut may leave an empty file behind.
  }
}

function createFolder(root: string): string[] {
  try {
    mkdirSync(root, { recursive: true });
    return readdirSync(root);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOTDIR') {
      throw new UserError(`${root} is a file or lies below one: name a folder`);
    }
    throw new UserError(`cannot create the folder ${root}: ${messageOf(error)}`);
  }
}
