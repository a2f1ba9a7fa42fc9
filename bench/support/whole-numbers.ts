/** An option's value: whole numbers with commas between them. */
export function wholeNumbers(name: string, list: string, least: number): number[] {
  return list.split(',').map((text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least)
      throw new Error(`--${name} takes whole numbers of at least ${least}, not ${text}`);
    return value;
  });
}
