/**
 * @module glossary-page: docs/glossary.md as a page, made when the visualizer is built: the page
 * asks nothing of any other machine.
 */
import { sectionsOf, type Word, wordsOf } from './model/glossary.ts';

export interface GlossaryPage {
  readonly body: string;
  readonly words: readonly Word[];
}

export function glossaryPage(markdown: string): GlossaryPage {
  const sections = sectionsOf(markdown);
  const body = sections.map(({ title, rows }) => {
    const items = rows.map(
      ({ anchor, head, meaning }) =>
        `<div id="${anchor}"><dt>${inline(head)}</dt><dd>${inline(meaning)}</dd></div>`,
    );
    return `<h2>${inline(title)}</h2>\n<dl>\n${items.join('\n')}\n</dl>`;
  });
  return { body: body.join('\n'), words: wordsOf(sections) };
}

/** The marks of Markdown that the glossary uses. */
function inline(text: string): string {
  return text
    .replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
    .replace(/\*\*(.+?)\*\*/g, '<b>$1</b>')
    .replace(/\*(.+?)\*/g, '<i>$1</i>')
    .replace(/`(.+?)`/g, '<code>$1</code>');
}
