/** The glossary as a page, and its words in a text. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { glossaryPage } from '../../visualizer/src/glossary-page.ts';
import { piecesOf, sectionsOf, wordsOf } from '../../visualizer/src/model/glossary.ts';

const markdown = await readFile(new URL('../../docs/glossary.md', import.meta.url), 'utf8');
const sections = sectionsOf(markdown);
const words = wordsOf(sections);
const linked = (text: string) =>
  piecesOf(text, words).flatMap((piece) =>
    typeof piece === 'string' ? [] : [`${piece.word} → ${piece.anchor}`],
  );

describe('docs/glossary.md', () => {
  test('is read whole: every row of every table', () => {
    const rows = sections.flatMap((section) => section.rows);
    expect(rows).toHaveLength(markdown.match(/^\| \*\*/gm)?.length ?? 0);
    expect(sections.map(({ title }) => title)).toEqual([
      ...['The file', 'Directories', 'Encoding', 'The grid', 'Reading and writing', 'Charts'],
    ]);
    expect(new Set(rows.map(({ anchor }) => anchor)).size).toBe(rows.length);
  });

  test('becomes a page with a place for every word, and no markup of its own', () => {
    const { body } = glossaryPage(markdown);
    for (const { anchor } of words) expect(body).toContain(`<div id="${anchor}">`);
    expect(body).toContain('<div id="shnum"><dt><b>shnum</b></dt><dd>a share');
    expect(body).not.toMatch(/\*\*|<script/);
    expect(glossaryPage('## A\n| **b** | <script>x</script> & more |').body).toContain(
      '<dd>&#60;script&#62;x&#60;/script&#62; &#38; more</dd>',
    );
  });
});

describe('the words of a text', () => {
  test('are found in the singular and the plural, each once', () => {
    expect(linked('Shares of a share on a server; Servers.')).toEqual([
      ...['Shares → share', 'server → server'],
    ]);
  });

  test('are the longest that fit, and whole words', () => {
    expect(linked('The servermap update ends.')).toEqual(['servermap update → servermap-update']);
    expect(linked('Every serverless, shared observer.')).toEqual([]);
  });

  test('are not looked for in the name of an event', () => {
    expect(linked('when server.settled arrives')).toEqual([]);
    expect(linked('It waits for the server.')).toEqual(['server → server']);
  });

  test('leave the text as it is', () => {
    const text = 'Test-and-sets are under way; what they find may allow others (k shares).';
    const plain = piecesOf(text, words).map((it) => (typeof it === 'string' ? it : it.word));
    expect(plain.join('')).toBe(text);
    expect(piecesOf(text, [])).toEqual([text]);
  });
});

test('a word is linked once, in the text that is read first', () => {
  const words = [{ word: 'verified', anchor: 'verified' }];
  expect(piecesOf('all verified', words, ['being verified'])).toEqual(['all verified']);
  expect(piecesOf('all verified', words, ['nothing'])).toEqual(['all ', words[0]]);
});
