/** Options of `npm start` without arguments: drawn faces that form within minutes on two cores. */
export const DEMONSTRATION: readonly string[] = [
  'train',
  ...['--workers', '2'],
  ...['--architecture', 'tutorial', '--image-size', '32'],
  ...['--generator-features', '64', '--discriminator-features', '32'],
  ...['--batch-size', '64', '--epochs', '20', '--sample-every', '50'],
];

export function demonstrationLine(): string {
  return `no arguments: this is\n  npm start -- ${DEMONSTRATION.join(' ')}\n`;
}
