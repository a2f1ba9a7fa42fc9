// npm run prose: counts the idioms that CONTRIBUTING.md bans, per 1,000 words of README, CONTRIBUTING and docs.
// With --list: prints each place. Exits with 1 if the count is above the limit.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './tool.mjs';

/** Idioms per 1,000 words that the linters accept. */
const LIMIT = 1;

/** Each pattern finds an idiom that hides its subject or its head noun. `instead` is printed with it. */
const IDIOMS = [
  { name: 'nobody', pattern: /\b(whoever|nobody|somebody|everybody)\b/gi, instead: 'name the actor' },
  {
    name: 'who',
    pattern: /(?<=^|[.;:] )who\b(?!le)|\b(for|by|from|to|of|than|but) who\b/gi,
    instead: 'name the actor',
  },
  {
    name: 'what is',
    pattern: /\bwhat (is|are|was|were|has|have|it|they|there|comes?|goes|lies|stands)\b(?![^.|\n]*\?)/gi,
    instead: 'use a noun with a relative clause',
  },
  { name: 'where', pattern: /\bwhere (there|it|they|one|none|nothing|not|that)\b/gi, instead: 'if, when' },
  { name: 'go on', pattern: /\b(go|goes|going|went|gone) on\b/gi, instead: 'continue, resume' },
  { name: 'say', pattern: /\b(say|says|saying|said|tells)\b/gi, instead: 'print, report, state' },
  {
    name: 'translated',
    pattern:
      /\b(anew|alike|whole or not at all|put up with|betrays?|at hand|is looked|is missed|come to|comes to|in vain|lately|made again)\b/gi,
    instead: 'use the standard term',
  },
];

/** Idioms in Markdown text: line number, name and the words found. Code, link targets and comments do not count. */
export function findIdioms(markdown) {
  const found = [];
  for (const [index, line] of prose(markdown).split('\n').entries())
    for (const { name, pattern, instead } of IDIOMS)
      for (const [words] of line.matchAll(pattern)) found.push({ line: index + 1, name, words, instead });
  return found;
}

export function countWords(markdown) {
  return prose(markdown).match(/[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu)?.length ?? 0;
}

/** The words that people read, with every line break kept. */
function prose(markdown) {
  const blank = (text) => text.replace(/[^\n]/g, ' ');
  return markdown
    .replace(/^(```|~~~)[\s\S]*?^\1/gm, blank)
    .replace(/^ {4}.*$/gm, blank)
    .replace(/<!--[\s\S]*?-->/g, blank)
    .replace(/`[^`\n]*`/g, blank)
    .replace(/\]\([^)\n]*\)/g, blank)
    .replace(/^> .*$/gm, blank);
}

async function pages() {
  const docs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).sort();
  return ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => join('docs', name))];
}

async function main() {
  const total = { idioms: 0, words: 0 };
  for (const path of await pages()) {
    const text = await readFile(join(root, path), 'utf8');
    const found = findIdioms(text);
    const words = countWords(text);
    total.idioms += found.length;
    total.words += words;
    const rate = ((1000 * found.length) / words).toFixed(1);
    console.log(`${path}: ${found.length} idioms in ${words} words (${rate} per 1,000)`);
    if (process.argv.includes('--list'))
      for (const { line, words: idiom, instead } of found)
        console.log(`  ${path}:${line}: "${idiom}": ${instead}`);
  }
  const rate = (1000 * total.idioms) / total.words;
  console.log(`in all ${rate.toFixed(2)} per 1,000 words, at most ${LIMIT.toFixed(2)} expected`);
  if (rate > LIMIT) process.exitCode = 1;
}

if (process.argv[1] === import.meta.filename) await main();
