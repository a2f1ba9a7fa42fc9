import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countWords, docComments, findIdioms } from '#prose';

describe('the prose check', () => {
  it('finds idioms with their lines', () => {
    const page = [
      '# Resume',
      '',
      'Whoever has the token, and what is left.',
      'It goes on where there is a run.',
    ];
    assert.deepEqual(
      findIdioms(page.join('\n')).map(({ line, words }) => [line, words.toLowerCase()]),
      [
        [3, 'whoever'],
        [3, 'what is'],
        [4, 'where there'],
        [4, 'goes on'],
      ],
    );
  });

  it('skips code, link targets and quotations', () => {
    const page = '```sh\ngo on\n```\n`go on` and [a page](go-on.md#where-there-is-one)\n> nobody says so\n';
    assert.deepEqual(findIdioms(page), []);
    assert.equal(countWords(page), 3);
  });

  it('leaves standard English alone', () => {
    const page = 'What is a GAN? The worker resumes if there is a checkpoint, or fails when nothing is left.';
    assert.deepEqual(findIdioms(page), []);
  });

  it('finds doc comments that start with a weak word', () => {
    const source = [
      '/** Of the generator. */',
      'const a = 1; // What is no doc comment',
      '/**',
      ' * Sends a message.',
      ' * How it does so is private.',
      ' */',
      '  /** Whether it is sent. */',
      '/** Offset of a message. */',
    ];
    assert.deepEqual(
      docComments(source.join('\n')).map(({ line, text, isWeak }) => [line, text, isWeak]),
      [
        [1, 'Of the generator.', true],
        [3, 'Sends a message. How it does so is private.', false],
        [7, 'Whether it is sent.', true],
        [8, 'Offset of a message.', false],
      ],
    );
  });
});
