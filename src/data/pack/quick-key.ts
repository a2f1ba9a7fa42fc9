import { statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemPath } from '../folder/byte-names.js';
import type { ListedFile } from '../folder/image-folder.js';
import { keyHash } from './pack-cache.js';

/**
 * File systems of Linux whose kernel sets the change time (ctime) at each change of a file, so that no program can
 * keep or restore it. Others repeat the modification time (FAT, ISO 9660, squashfs) or leave it to a server (FUSE).
 */
const KEEPS_CHANGE_TIME: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xf2f52010, // F2FS
  0x2fc12fc1, // ZFS
  0xca451a4e, // bcachefs
  0x01021994, // tmpfs
  0x6969, // NFS
  0x0bd00bd0, // Lustre
  0x00c36400, // Ceph
]);

/** A file that was changed this recently can change again without another change time, in milliseconds. */
const CLOCK_STEP = 2_000;

/** Names a listing by what the file system says of its files. */
export function statKey(files: readonly ListedFile[], size: number): string {
  const hash = keyHash('stat', size);
  for (const { path, size: length, modified, changed, device, inode } of files)
    hash.update(`${JSON.stringify(path)} ${length} ${modified} ${changed} ${device} ${inode}\n`);
  return hash.digest('hex');
}

/**
 * The stat key, if equal keys mean equal contents: a program that changes or replaces a file cannot keep its change
 * time. Returns undefined if the file system does not vouch for that, or if a file has changed just now.
 */
export function quickKey(
  root: string,
  files: readonly ListedFile[],
  size: number,
  now: number,
): string | undefined {
  const folders = new Map<number, string>(); // by device
  for (const { path, size: length, changed, device } of files) {
    if (changed > now - CLOCK_STEP) return undefined;
    if (length >= 0 && !folders.has(device)) folders.set(device, dirname(join(root, path)));
  }
  return [...folders.values()].every(keepsChangeTime) ? statKey(files, size) : undefined;
}

function keepsChangeTime(folder: string): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return KEEPS_CHANGE_TIME.has(statfsSync(systemPath(folder)).type);
  } catch {
    return false;
  }
}
