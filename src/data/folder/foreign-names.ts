import { isTemporaryName } from '../../common/files/temporary-name.js';

/** The files that systems and programs keep beside a user's, by name. Upper and lower case are the same. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/^(\._.*|__macosx|\.ds_store|icon\r)$/i, 'macOS metadata'],
  [/^((eh)?thumbs(_vista)?\.db|desktop\.ini|system volume information)$/i, 'Windows metadata'],
  [/^(\$recycle\.bin|#recycle|@recycle|\.trash.*)$/i, 'in the trash'],
  [/^(@eadir|\.thumbnails|\.@__thumb)$/i, 'thumbnails'],
  [/^(lost\+found|#snapshot)$/i, 'of the file system'],
  [/^\./, 'hidden'],
];

/** Returns the kind of a file or folder that is not the user's picture, by its name; undefined for any other name. */
export function foreignKind(name: string): string | undefined {
  // A killed program leaves pictures that it had not finished.
  if (isTemporaryName(name)) return 'unfinished';
  return FOREIGN.find(([pattern]) => pattern.test(name))?.[1];
}
