import { readdirSync, statSync, type Dirent, type Stats } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../common/errors.js';
import { nameOf, systemPath } from './byte-names.js';
import { byCodePoint } from './code-point-order.js';
import { faultOfFile } from '../decode/file-fault.js';
import { foreignKind } from './foreign-names.js';
import { LeftOut } from './left-out.js';
import { LinkRule } from './link-rule.js';

/** A file that may be an image. Its content is not looked at before it is decoded. */
export interface ListedFile {
  /** Below the root, with / on every platform; a name that is not UTF-8 as byte-names has it. */
  readonly path: string;
  /** Bytes; -1 if nothing can be found under the name (a dangling link, say). */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Time of the last change of content, owner, mode or name (ctime), in milliseconds since 1970. */
  readonly changed: number;
  readonly device: number;
  readonly inode: number;
}

export interface Folder {
  /** Below the root; empty for the root. */
  readonly path: string;
  /** Those directly in it, in the order of their names. */
  readonly files: readonly ListedFile[];
}

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly dirent: Dirent<Buffer>;
}

/** Foreign folders may hold whole copies of a volume: from this number of files on, the others are not counted. */
const MAX_COUNTED = 100_000;

/** Finds the files of a folder and of all folders below it. Each folder is walked once, whatever leads to it. */
export class FolderWalk {
  readonly leftOut = new LeftOut();
  readonly #links: LinkRule;
  readonly #folders: Folder[] = [];
  readonly #walked = new Set<string>();
  /** Links to folders. They come after all real folders, so that a folder keeps the path where it really lies. */
  readonly #linksToFolders: string[] = [];
  readonly #foreign: { readonly path: string; readonly kind: string }[] = [];
  #found = 0;
  #counted = 0;

  constructor(
    private readonly root: string,
    followLinks: boolean,
    private readonly onFound: (files: number) => void,
  ) {
    this.#links = new LinkRule(root, followLinks);
  }

  /** Returns the folders in no order of use. Throws the system's error if the root cannot be read. */
  walk(): readonly Folder[] {
    this.#visit('', false);
    this.#linksToFolders.sort((a, b) => depthOf(a) - depthOf(b)); // A class comes before what lies in another.
    for (const path of this.#linksToFolders) this.#visit(path, true); // It may grow meanwhile.
    for (const { path, kind } of this.#foreign) this.#countForeign(path, kind);
    return this.#folders;
  }

  #visit(path: string, throughLink: boolean): void {
    try {
      const identity = this.#identityOf(path);
      // A file system may give two folders one number, so only what a link led to can be a repetition.
      if (throughLink && this.#walked.has(identity)) {
        this.leftOut.add('folder', 'reached again through links', path);
        return;
      }
      this.#walked.add(identity);
      const files: ListedFile[] = [];
      for (const entry of this.#read(path)) this.#take(entry, throughLink, files);
      this.#folders.push({ path, files });
    } catch (error) {
      this.#leaveOutUnreadable(path, error);
    }
  }

  #take({ path, name, dirent }: Entry, throughLink: boolean, files: ListedFile[]): void {
    const foreign = foreignKind(name);
    if (foreign !== undefined) {
      if (dirent.isDirectory()) this.#foreign.push({ path, kind: foreign });
      else this.leftOut.add('file', foreign, path);
      return;
    }
    const isLink = dirent.isSymbolicLink();
    if (isLink && !this.#links.admits(path)) {
      this.leftOut.add('link', 'out of the folder', path);
      return;
    }
    if (dirent.isDirectory()) {
      this.#visit(path, throughLink);
      return;
    }
    const stat = this.#statOf(path, isLink);
    if (stat?.isDirectory()) this.#linksToFolders.push(path);
    else if (!stat || stat.isFile()) {
      files.push({ path, ...factsOf(stat) });
      this.onFound(++this.#found);
    } else this.leftOut.add('file', 'neither file nor folder', path); // A pipe would block its reader.
  }

  /** Counts the files of a folder that is not used, unless a link of a used one has led there. */
  #countForeign(path: string, kind: string): void {
    try {
      const identity = this.#identityOf(path);
      if (this.#walked.has(identity)) return;
      this.#walked.add(identity);
      for (const entry of this.#read(path)) {
        if (this.#counted >= MAX_COUNTED) {
          this.leftOut.add('folder', `${kind}, not counted any further`, path);
          return;
        }
        if (entry.dirent.isDirectory()) this.#countForeign(entry.path, kind);
        else {
          this.leftOut.add('file', kind, entry.path);
          this.#counted++;
        }
      }
    } catch (error) {
      this.#leaveOutUnreadable(path, error);
    }
  }

  #leaveOutUnreadable(path: string, error: unknown): void {
    const fault = faultOfFile(error);
    if (path === '' || fault === undefined) throw error;
    this.leftOut.add('folder', 'unreadable', path, fault);
  }

  #read(path: string): Entry[] {
    const dirents = readdirSync(this.#pathOf(path), { withFileTypes: true, encoding: 'buffer' });
    return dirents
      .map((dirent) => {
        const name = nameOf(dirent.name);
        return { name, path: path === '' ? name : `${path}/${name}`, dirent };
      })
      .sort((a, b) => byCodePoint(a.name, b.name));
  }

  #identityOf(path: string): string {
    const { dev, ino } = statSync(this.#pathOf(path), { bigint: true });
    return `${dev}:${ino}`;
  }

  /** Undefined if the decoder is to find out what is wrong. Throws if the folder may be listed but not entered. */
  #statOf(path: string, isLink: boolean): Stats | undefined {
    try {
      return statSync(this.#pathOf(path), { throwIfNoEntry: false });
    } catch (error) {
      const concernsFolder = !isLink && codeOf(error) === 'EACCES';
      if (concernsFolder || faultOfFile(error) === undefined) throw error;
      return undefined;
    }
  }

  #pathOf(path: string): string | Buffer {
    return systemPath(join(this.root, path));
  }
}

function depthOf(path: string): number {
  return path.split('/').length;
}

function factsOf(stat: Stats | undefined): Omit<ListedFile, 'path'> {
  if (!stat) return { size: -1, modified: 0, changed: 0, device: 0, inode: 0 };
  const { size, mtimeMs: modified, ctimeMs: changed, dev: device, ino: inode } = stat;
  return { size, modified, changed, device, inode };
}
