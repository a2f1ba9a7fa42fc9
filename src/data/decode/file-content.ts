/** Returns in one or two words what a file holds that is no image, by its first bytes; undefined if unknown. */
export function contentOf(head: Buffer): string | undefined {
  const text = head.toString('latin1');
  if (/^\s*<(!doctype html|html)/i.test(text)) return 'HTML';
  if (text.startsWith('%PDF')) return 'PDF';
  if (/^[\t\n\f\r\x20-\x7e\x80-\xff]+$/.test(text)) return 'text';
  if (/^\0+$/.test(text)) return 'only zeros';
  return undefined;
}
