/**
 * @module glossary: the words of docs/glossary.md, read off that page, and where they stand in a
 * text.
 */

export interface Word {
  /** `test-and-set`; one row of the glossary may explain several. */
  readonly word: string;
  /** Of its row in glossary.html. */
  readonly anchor: string;
}

export interface Row {
  readonly anchor: string;
  /** As in the file, with Markdown's marks. */
  readonly head: string;
  readonly meaning: string;
}

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** The tables of the page, by their headings. */
export function sectionsOf(markdown: string): readonly Section[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((part) => ({
      title: part.slice(0, part.indexOf('\n')),
      rows: [...part.matchAll(/^\| (\*\*.*?) \| (.*) \|$/gm)].map(
        ([, head = '', meaning = '']) => ({
          anchor: anchorOf(head),
          head,
          meaning,
        }),
      ),
    }));
}

/** Every word that a row explains; letters such as k are too short to find in a text. */
export function wordsOf(sections: readonly Section[]): readonly Word[] {
  return sections
    .flatMap(({ rows }) => rows)
    .flatMap(({ head, anchor }) =>
      bold(head)
        .split(', ')
        .filter((word) => word.length > 2)
        .map((word) => ({ word, anchor })),
    );
}

export type Piece = string | Word;

/**
 * `text` in pieces: a word of the glossary, singular or plural, is one by itself, the first time
 * that it stands there. The `server` of an event `server.settled` is none.
 * @param before texts that are read before this one: what stands there is linked there
 */
export function piecesOf(
  text: string,
  words: readonly Word[],
  before: readonly string[] = [],
): readonly Piece[] {
  if (words.length === 0) return [text];
  const anchors = new Map(words.map(({ word, anchor }) => [word.toLowerCase(), anchor]));
  const longest = [...anchors.keys()].sort((a, b) => b.length - a.length);
  const known = new RegExp(
    `(?<![\\w.-])(${longest.map(escaped).join('|')})(s?)(?![\\w-]|\\.\\w)`,
    'gi',
  );
  const pieces: Piece[] = [];
  const earlier = before.flatMap((other) => piecesOf(other, words));
  const seen = new Set(earlier.flatMap((piece) => (typeof piece === 'string' ? [] : piece.anchor)));
  let from = 0;
  for (const match of text.matchAll(known)) {
    const anchor = anchors.get((match[1] as string).toLowerCase()) as string;
    if (seen.has(anchor)) continue;
    seen.add(anchor);
    pieces.push(text.slice(from, match.index), { word: match[0], anchor });
    from = match.index + match[0].length;
  }
  return [...pieces, text.slice(from)].filter((piece) => piece !== '');
}

function bold(head: string): string {
  return /\*\*(.*?)\*\*/.exec(head)?.[1] ?? '';
}

function anchorOf(head: string): string {
  return bold(head).toLowerCase().replace(/\W+/g, '-');
}

function escaped(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
