// npm run prose: counts the idioms that CONTRIBUTING.md bans, per 1,000 words of README, CONTRIBUTING and docs, and the
// doc comments in src that start with a word that hides their subject.
// With --list: prints each place. Exits with 1 if a count is above its limit.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './tool.mjs';

/** Idioms per 1,000 words that the linters accept. */
const LIMIT = 1;

/** Share of doc comments with a weak start that the linters accept. */
const WEAK_LIMIT = 0.02;

/** First words that leave out the head noun of a doc comment. */
const WEAK_START = /^(What|How|Of|Where|Whether|Who|So|As|By)\b/;

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

/** Doc comments of a source file: line number, text in one line, and whether they start with a weak word. */
export function docComments(source) {
  return [...source.matchAll(/\/\*\*(.*?)\*\//gs)].map((match) => {
    const text = match[1]
      .replace(/^[ \t]*\*?[ \t]*/gm, '')
      .replace(/\s+/g, ' ')
      .trim();
    return { line: source.slice(0, match.index).split('\n').length, text, isWeak: WEAK_START.test(text) };
  });
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
  await checkPages();
  await checkComments();
}

async function checkComments() {
  const names = await readdir(join(root, 'src'), { recursive: true });
  const comments = [];
  for (const name of names.filter((each) => each.endsWith('.ts')).sort())
    for (const comment of docComments(await readFile(join(root, 'src', name), 'utf8')))
      comments.push({ ...comment, path: `src/${name}` });
  const weak = comments.filter(({ isWeak }) => isWeak);
  if (process.argv.includes('--list'))
    for (const { path, line, text } of weak) console.log(`  ${path}:${line}: "${text.slice(0, 60)}"`);
  const share = weak.length / comments.length;
  console.log(
    `${weak.length} of ${comments.length} doc comments start with What, How, Of, Where, Whether, Who, So, As or By ` +
      `(${(100 * share).toFixed(1)} %), at most ${100 * WEAK_LIMIT} % expected`,
  );
  if (share > WEAK_LIMIT) process.exitCode = 1;
}

async function checkPages() {
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
