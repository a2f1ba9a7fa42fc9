import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../common/files/atomic-file.js';
import { createFolder } from '../../common/files/create-folder.js';
import { codeOf, messageOf, UserError } from '../../common/errors.js';
import { ageOf, removeAbandoned, tryToRemove } from '../../common/files/leftovers.js';
import { isAbandoned, isTemporaryName, temporaryName } from '../../common/files/temporary-name.js';

/** The one class of the image folder. */
const CLASS = 'drawn';
/** Tells whose folder it is. It lies beside the class folder, where readers of image folders do not look. */
export const MARK = 'drawn-faces.json';
/** Raise it when the same seed would give other faces than before. */
const DRAWING_VERSION = 1;

/** Every PNG ends with this chunk, IEND. */
const PNG_END = Buffer.from('0000000049454e44ae426082', 'hex');

export interface DrawnFaces {
  readonly count: number;
  readonly seed: number;
}

interface Mark {
  readonly drawing: number;
  readonly seed: number;
  /** Both only when all faces were drawn. */
  readonly count?: number;
  /** SHA-256 of all files in their order. */
  readonly content?: string;
}

/**
 * An image folder of drawn faces. A file grows beside the class folder and is renamed into it, so that nothing
 * unfinished is ever taken for an image, and several processes may draw the same faces at once.
 */
export class DrawnFolder {
  private constructor(
    private readonly root: string,
    private readonly faces: DrawnFaces,
    private readonly mark: Mark | undefined,
  ) {}

  /**
   * Opens or creates the folder. A folder of the user's that holds anything else, or other faces, is a UserError. In a
   * folder of the cache (`isOwn`) nothing else has a place: it is removed.
   */
  static async open(root: string, faces: DrawnFaces, isOwn: boolean): Promise<DrawnFolder> {
    makeFolder(root);
    if (isOwn) removeOthers(root);
    else refuseOthers(root, faces);
    createFolder(join(root, CLASS));
    const mark = readMark(root);
    const drawn = new DrawnFolder(root, faces, mark?.seed === faces.seed ? mark : undefined);
    removeLeftovers(root);
    if (isOwn) drawn.#removeUnknown();
    else drawn.#refuseMore();
    if (!drawn.mark) await drawn.#write({ drawing: DRAWING_VERSION, seed: faces.seed });
    return drawn;
  }

  /** Tells whether an earlier process has drawn all faces, so that nothing may be missing. */
  get isComplete(): boolean {
    return this.mark?.content !== undefined && this.mark.count === this.faces.count;
  }

  /** Tells whether the files there are known to be faces of this seed: no process has finished, and one has begun. */
  get isBegun(): boolean {
    return this.mark !== undefined && !this.isComplete;
  }

  /** Compares what lies there with what was drawn. Reads all files: 4,000 take 0.1 s. */
  async isWhole(): Promise<boolean> {
    return this.isComplete && (await this.#content()) === this.mark?.content;
  }

  /** Numbers of the faces that are not there, or not to their end. */
  async missing(): Promise<number[]> {
    const missing: number[] = [];
    for (let index = 0; index < this.faces.count; index++) {
      const bytes = await this.read(index);
      if (!bytes?.subarray(-PNG_END.length).equals(PNG_END)) missing.push(index);
    }
    return missing;
  }

  /** The file of a face; undefined if there is none. */
  async read(index: number): Promise<Buffer | undefined> {
    try {
      return await readFile(this.#pathOf(index));
    } catch {
      return undefined;
    }
  }

  /** Puts a face in its place. Not synced: 4,000 syncs take minutes on some disks. */
  async place(index: number, png: Buffer): Promise<void> {
    const path = this.#pathOf(index);
    const temporary = join(this.root, temporaryName('face'));
    try {
      await writeFile(temporary, png);
      await rename(temporary, path);
    } catch (error) {
      tryToRemove(temporary);
      throw codeOf(error) === 'ENOSPC' ? new UserError(`no space left for ${path}: make room there`) : error;
    }
  }

  /** Declares all faces drawn. */
  async complete(): Promise<void> {
    const { seed, count } = this.faces;
    const content = await this.#content();
    if (content === undefined)
      throw new UserError(`faces vanished from ${this.root} while they were drawn: try again`);
    await this.#write({ drawing: DRAWING_VERSION, seed, count, content });
  }

  #pathOf(index: number): string {
    return join(this.root, CLASS, nameOf(index));
  }

  async #content(): Promise<string | undefined> {
    const hash = createHash('sha256');
    for (let index = 0; index < this.faces.count; index++) {
      const bytes = await this.read(index);
      if (!bytes) return undefined;
      hash.update(`${bytes.length}\n`).update(bytes);
    }
    return hash.digest('hex');
  }

  #write(mark: Mark): Promise<void> {
    return writeFileAtomically(join(this.root, MARK), JSON.stringify(mark));
  }

  #removeUnknown(): void {
    const known = new Set(Array.from({ length: this.faces.count }, (_, index) => nameOf(index)));
    for (const name of readdirSync(join(this.root, CLASS)))
      if (!known.has(name)) tryToRemove(join(this.root, CLASS, name));
  }

  #refuseMore(): void {
    const { count } = this.faces;
    const present = readdirSync(join(this.root, CLASS)).filter((name) => name.endsWith('.png')).length;
    if (present > count)
      throw new UserError(
        `${this.root} holds ${present} drawn faces, more than ${count}: name another folder`,
      );
  }
}

function nameOf(index: number): string {
  return `${index.toString().padStart(5, '0')}.png`;
}

function makeFolder(root: string): void {
  try {
    createFolder(root);
    readdirSync(root);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOTDIR') {
      throw new UserError(`${root} is a file or lies below one: name a folder`);
    }
    throw new UserError(`cannot create the folder ${root}: ${messageOf(error)}`);
  }
}

/** Undefined if there is no mark, or one of another version, or none that makes sense. */
function readMark(root: string): Mark | undefined {
  try {
    const mark = JSON.parse(readFileSync(join(root, MARK), 'utf8')) as Partial<Mark> | null;
    if (mark?.drawing !== DRAWING_VERSION || !Number.isSafeInteger(mark.seed)) return undefined;
    const { drawing, seed = 0, count, content } = mark;
    const isWhole = typeof count === 'number' && typeof content === 'string';
    return isWhole ? { drawing, seed, count, content } : { drawing, seed };
  } catch {
    return undefined;
  }
}

/** Removes what has no place in a folder of the cache. Files that a living process is about to rename stay. */
function removeOthers(root: string): void {
  const now = Date.now();
  for (const name of readdirSync(root)) {
    const path = join(root, name);
    const isOurs =
      name === CLASS || name === MARK || (isTemporaryName(name) && !isAbandoned(name, ageOf(path, now)));
    if (!isOurs) tryToRemove(path);
  }
}

/**
 * Refuses a folder that holds anything but drawn faces. A process that was killed early, or one that is starting,
 * leaves an empty class folder and no mark: faces come after the mark, and are therefore looked at before it.
 */
function refuseOthers(root: string, { seed }: DrawnFaces): void {
  const others = readdirSync(root).filter(
    (name) => name !== CLASS && name !== MARK && !isTemporaryName(name),
  );
  const faces = filesIn(join(root, CLASS));
  const isMarked = readdirSync(root).includes(MARK);
  if (!isMarked && (others.length > 0 || faces.length > 0))
    throw new UserError(`${root} is not empty and holds no drawn faces: name a new folder`);
  if (isMarked && readMark(root)?.seed !== seed)
    throw new UserError(
      `${root} holds faces drawn from another seed or by another version: name another folder`,
    );
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Removes what processes left that were killed. Earlier versions wrote temporary files beside the faces. */
function removeLeftovers(root: string): void {
  removeAbandoned(root);
  for (const name of readdirSync(join(root, CLASS)))
    if (/^\d+\.png\./.test(name) && isTemporaryName(name)) tryToRemove(join(root, CLASS, name));
}
