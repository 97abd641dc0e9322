/**
 * @module pointers: what a comment, a test's name or a page points to is in this repository.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');

/** The files below `folder` whose names end as `ending` says, by path from the root. */
const filesIn = (folder: string, ending: RegExp): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name) && !name.includes('node_modules'))
    .map((name) => join(folder, name));

const sources = ['src', 'machines', 'test', 'bench', 'visualizer'].flatMap((folder) =>
  filesIn(folder, /\.(ts|tsx|mts|mjs|py|pml|sh|css|html|md)$/).filter(
    // Its own comments show what a pointer looks like.
    (file) => file !== 'test/project/pointers.test.ts',
  ),
);
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...filesIn('docs', /\.md$/),
  ...filesIn('test', /\.md$/),
];

/** The text with its lines joined, without what begins a line of a comment. */
const inOneLine = (text: string) => text.replace(/\n\s*(\*|\/\/|#)?\s*/g, ' ');

const titlesOf = (page: string) =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, title]) => title as string);

/** What GitHub makes of a title: small letters, hyphens for spaces, no punctuation. */
const anchorOf = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

function leadsSomewhere(page: string, anchor: string): boolean {
  return existsSync(join(root, page)) && titlesOf(page).some((title) => anchorOf(title) === anchor);
}

function hasSection(page: string, number: string): boolean {
  return (
    existsSync(join(root, page)) &&
    titlesOf(page).some((title) => /^([\d.]*\d)\.? /.exec(title)?.[1] === number)
  );
}

/** `docs/x.md §1.2`, and further sections of the same page after a comma or an “and”. */
const sections = /(docs\/[\w-]+\.md) ((?:(?:, | and )?§\d+(?:\.\d+)*)+)/g;

test('every section that a source names is in the page, and no other section is named', () => {
  const dead = sources.flatMap((file) => {
    const text = inOneLine(textOf(file));
    const named = [...text.matchAll(sections)].flatMap(([, page = '', list = '']) =>
      [...list.matchAll(/[\d.]*\d/g)].map(([number]) => ({ page, number })),
    );
    const left = text.replace(sections, '').split('§').slice(1);
    return [
      ...named.filter(({ page, number }) => !hasSection(page, number)),
      ...left.map((rest) => `§${rest.slice(0, 20)}`),
    ].map((what) => ({ file, what }));
  });
  expect(dead).toEqual([]);
});

test('every page and every place of a page that a source names is there', () => {
  const dead = sources.flatMap((file) =>
    [...textOf(file).matchAll(/\b((?:docs|test)\/[\w/-]+\.md)(?:#([\w-]+))?/g)]
      .filter(([, page = '', anchor]) =>
        anchor === undefined ? !existsSync(join(root, page)) : !leadsSomewhere(page, anchor),
      )
      .map(([what]) => `${file}: ${what}`),
  );
  expect(dead).toEqual([]);
});

test('every link of a page leads to a file, and to a place that is in it', () => {
  const dead = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      .filter(([, path = '', anchor]) => {
        const target = path === '' ? page : join(dirname(page), path);
        return anchor === undefined
          ? !existsSync(join(root, target))
          : !leadsSomewhere(target, anchor);
      })
      .map(([link]) => `${page}: ${link}`),
  );
  expect(dead).toEqual([]);
});
