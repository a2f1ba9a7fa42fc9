import { closeSync, openSync, readSync, readdirSync, statSync, type Dirent, type Stats } from 'node:fs';
import { join } from 'node:path';
import { codeOf, messageOf, UserError } from '../common/errors.js';
import { byCodePoint } from './code-point-order.js';
import { HEAD_BYTES, isNamedAsImage, kindOf } from './image-kind.js';
import { LinkRule } from './link-rule.js';

/** A file that may be an image. Its content is not looked at before it is decoded. */
export interface ListedFile {
  /** Below the root, with / on every platform. */
  readonly path: string;
  /** Bytes; -1 where nothing can be found under the name (a dangling link, say). */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Time of the last change of content, owner, mode or name (ctime), in milliseconds since 1970. */
  readonly changed: number;
  readonly device: number;
  readonly inode: number;
}

export interface Listing {
  readonly files: readonly ListedFile[];
  /** Links that lead out of the folder and were not followed. */
  readonly leftOut: number;
}

/**
 * Lists the files of an image folder in the order of torchvision's ImageFolder: class folders sorted, in each the
 * folders as sorted(os.walk(followlinks=True)) gives them, in each of these the names sorted.
 * Nothing is opened: 200,000 files cost a second or two and some 40 MB. `followLinks`: also those that lead out of
 * the root. Throws a UserError for a folder without files.
 */
export function listImageFolder(root: string, followLinks: boolean): Listing {
  const all = readRoot(root);
  const links = new LinkRule(root, followLinks);
  const entries = all.filter((entry) => links.admits(root, entry)).map(({ name }) => name);
  const classes = entries.filter((name) => statOf(join(root, name))?.isDirectory());
  if (classes.length === 0) throw onlyLinks(root, links) ?? withoutClasses(root, entries);

  const files: ListedFile[] = [];
  for (const name of classes) {
    const folders = walk(root, name, links).sort((a, b) => byCodePoint(a.path, b.path));
    for (const folder of folders) for (const file of folder.files) files.push(file);
  }
  if (files.length === 0)
    throw (
      onlyLinks(root, links) ??
      new UserError(`no file in the sub-directories of ${root}: put your images there`)
    );
  return { files, leftOut: links.leftOut };
}

interface Folder {
  readonly path: string;
  readonly files: ListedFile[];
}

/** `path` and all folders below it. A link back to a folder that we are in ends there: it would go on for ever. */
function walk(root: string, path: string, links: LinkRule, ancestors: readonly string[] = []): Folder[] {
  const own = statSync(join(root, path), { bigint: true });
  const identity = `${own.dev}:${own.ino}`;
  if (ancestors.includes(identity)) return [];

  const folder: Folder = { path, files: [] };
  const below: Folder[] = [];
  for (const entry of readSorted(join(root, path))) {
    if (!links.admits(join(root, path), entry)) continue;
    const child = `${path}/${entry.name}`;
    const stat = statOf(join(root, child));
    if (stat?.isDirectory()) {
      for (const found of walk(root, child, links, [...ancestors, identity])) below.push(found);
    } else if (!stat || stat.isFile()) {
      folder.files.push({ path: child, ...factsOf(stat) });
    } // A pipe or a device would block whoever reads it.
  }
  return [folder, ...below];
}

function factsOf(stat: Stats | undefined): Omit<ListedFile, 'path'> {
  if (!stat) return { size: -1, modified: 0, changed: 0, device: 0, inode: 0 };
  const { size, mtimeMs: modified, ctimeMs: changed, dev: device, ino: inode } = stat;
  return { size, modified, changed, device, inode };
}

function readSorted(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => byCodePoint(a.name, b.name));
}

function readRoot(root: string): Dirent[] {
  try {
    return readSorted(root);
  } catch (error) {
    const wanted = 'give a folder that holds at least one folder of images';
    if (codeOf(error) === 'ENOENT') throw new UserError(`there is no folder ${root}: ${wanted}`);
    if (codeOf(error) === 'ENOTDIR') throw new UserError(`${root} is a file: ${wanted}`);
    throw new UserError(`cannot read the folder ${root}: ${messageOf(error)}`);
  }
}

/** Where all that could be images is left out. */
function onlyLinks(root: string, { leftOut }: LinkRule): UserError | undefined {
  if (leftOut === 0) return undefined;
  return new UserError(
    `all that ${root} holds is ${leftOut === 1 ? 'a link that leads' : `${leftOut} links that lead`} out of it: ` +
      'give --follow-links where you trust what they lead to',
  );
}

function withoutClasses(root: string, entries: readonly string[]): UserError {
  if (entries.length === 0) {
    return new UserError(`${root} is empty: put a folder of images into it`);
  }
  if (entries.some((name) => isNamedAsImage(name) || holdsImage(join(root, name)))) {
    return new UserError(
      `${root} holds images but no sub-directory: put this folder into a new folder and give that one`,
    );
  }
  return new UserError(
    `${root} holds neither images nor sub-directories: give a folder that holds a folder of images`,
  );
}

function holdsImage(path: string): boolean {
  if (!statOf(path)?.isFile()) return false;
  try {
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      readSync(file, head);
      return kindOf(head) !== undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // A link to itself, or a folder we may not enter.
  }
}
