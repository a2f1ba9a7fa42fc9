import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, messageOf, UserError } from '../../common/errors.js';
import { systemPath } from './byte-names.js';
import { byCodePoint } from './code-point-order.js';
import { MARK } from '../drawn/drawn-folder.js';
import { FolderWalk, type Folder, type ListedFile } from './folder-walk.js';
import { HEAD_BYTES, isNamedAsImage, kindOf } from '../decode/image-kind.js';
import { describeLeftOut, type LeftOutKind } from './left-out.js';
import { otherFormat } from '../decode/other-format.js';

export type { ListedFile } from './folder-walk.js';

/**
 * classes: images lie in sub-folders, and those directly in the root are not used, as in torchvision's ImageFolder.
 * any: if the sub-folders hold no file, the images are those directly in the root.
 */
export type FolderLayout = 'classes' | 'any';

export interface ListingOptions {
  readonly layout?: FolderLayout;
  /** True if the user can be told to pass --follow-links. */
  readonly offersFollowLinks?: boolean;
  /** Called for every file, with the number found so far. */
  readonly onFound?: (files: number) => void;
}

export interface Listing {
  readonly files: readonly ListedFile[];
  /** Other entries of the folder. */
  readonly leftOut: readonly LeftOutKind[];
}

/**
 * Lists the files of an image folder in the order of torchvision's ImageFolder: class folders sorted, in each the
 * folders as sorted(os.walk(followlinks=True)) gives them, in each of these the names sorted. Unlike there, each folder
 * comes once, and names that are hidden or a system's are left out.
 * Only files outside the class folders may be opened: 200,000 files cost a second or two and some 40 MB. `followLinks`:
 * also those that lead out of the root. Throws a UserError for a folder without files.
 */
export function listImageFolder(
  root: string,
  followLinks: boolean,
  { layout = 'classes', offersFollowLinks = false, onFound = () => undefined }: ListingOptions = {},
): Listing {
  const { folders, leftOut } = walk(root, followLinks, onFound);
  const direct = folders.flatMap(({ path, files }) => (path === '' ? files : []));
  const classes = folders.filter(({ path }) => path !== '').sort(inOrderOfClasses);
  const files = classes.flatMap((folder) => folder.files);
  if (files.length === 0 && direct.length > 0 && layout === 'any')
    return { files: direct, leftOut: leftOut.kinds };

  for (const { path } of direct) {
    if (path === MARK) continue;
    if (looksLikeImage(root, path)) leftOut.add('image', OUTSIDE, path);
    else leftOut.add('file', 'without an image', path);
  }
  if (files.length === 0) throw withoutFiles(root, classes, leftOut.kinds, offersFollowLinks);
  return { files, leftOut: leftOut.kinds };
}

const OUTSIDE = 'outside the sub-folders';

function walk(
  root: string,
  followLinks: boolean,
  onFound: (files: number) => void,
): { folders: readonly Folder[]; leftOut: FolderWalk['leftOut'] } {
  try {
    const walk = new FolderWalk(root, followLinks, onFound);
    return { folders: walk.walk(), leftOut: walk.leftOut };
  } catch (error) {
    const wanted = 'give a folder that holds at least one folder of images';
    if (codeOf(error) === 'ENOENT') throw new UserError(`there is no folder ${root}: ${wanted}`);
    if (codeOf(error) === 'ENOTDIR') throw new UserError(`${root} is a file: ${wanted}`);
    throw new UserError(`cannot read the folder ${root}: ${messageOf(error)}`);
  }
}

/** Folders of one class together, whatever characters follow its name in others. */
function inOrderOfClasses(a: Folder, b: Folder): number {
  return byCodePoint(classOf(a), classOf(b)) || byCodePoint(a.path, b.path);
}

function classOf({ path }: Folder): string {
  return path.split('/', 1)[0];
}

function looksLikeImage(root: string, path: string): boolean {
  if (isNamedAsImage(path)) return true;
  const head = readHead(join(root, path));
  return kindOf(head) !== undefined || otherFormat(head, path) !== undefined;
}

function readHead(path: string): Buffer {
  try {
    const file = openSync(systemPath(path), 'r');
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      return head.subarray(0, readSync(file, head));
    } finally {
      closeSync(file);
    }
  } catch {
    return Buffer.alloc(0);
  }
}

function withoutFiles(
  root: string,
  classes: readonly Folder[],
  leftOut: readonly LeftOutKind[],
  offersFollowLinks: boolean,
): UserError {
  if (leftOut.some(({ what }) => what === OUTSIDE)) {
    return new UserError(
      `${root} holds images but no sub-directory${classes.length > 0 ? ' with a file in it' : ''}: ` +
        'put this folder into a new folder and give that one',
    );
  }
  if (leftOut.length === 0) {
    return new UserError(
      classes.length > 0
        ? `no file in the sub-directories of ${root}: put your images there`
        : `${root} is empty: put a folder of images into it`,
    );
  }
  const links = leftOut.find(({ unit }) => unit === 'link');
  if (links && leftOut.length === 1) {
    return new UserError(
      `${root} holds only ${links.count === 1 ? 'a link that leads' : `${links.count} links that lead`} out of it: ` +
        (offersFollowLinks
          ? 'give --follow-links where you trust what they lead to'
          : 'copy the images into it'),
    );
  }
  return new UserError(
    `${root} holds neither images nor sub-directories with files that can be used: ` +
      `use a folder that holds a folder of images (${describeLeftOut(leftOut)})`,
  );
}
