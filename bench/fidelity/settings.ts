import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FidelityOptions } from './options.js';

/** What is in the folder already must be of the same images and settings: else it would be compared with something else. */
export function requireSameSettings({ out, work, data }: FidelityOptions, fingerprint: string): void {
  const path = join(out, 'settings.json');
  const settings = `${JSON.stringify({ ...work, images: fingerprint }, undefined, 2)}\n`;
  mkdirSync(out, { recursive: true });
  if (!existsSync(path)) writeFileSync(path, settings);
  else if (readFileSync(path, 'utf8') !== settings)
    throw new Error(
      `${out} holds runs with other settings or other images than ${data}: give another --out, or remove it`,
    );
}
