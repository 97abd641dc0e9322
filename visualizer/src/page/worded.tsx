/**
 * @module worded: a text in which the words of docs/glossary.md lead to what they mean.
 */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { piecesOf, type Word } from '../model/glossary.ts';

/** Of the page's own glossary, once a text is shown. */
const words = signal<readonly Word[]>([]);

let isAsked = false;

async function loadWords(): Promise<void> {
  if (isAsked) return;
  isAsked = true;
  const response = await fetch('./glossary.json').catch(() => undefined);
  if (response?.ok) words.value = (await response.json()) as readonly Word[];
}

interface Props {
  readonly text: string;
  /** Texts that are read before it: each word is a link once. */
  readonly before?: readonly string[];
}

export function Worded({ text, before = [] }: Props) {
  useEffect(() => void loadWords(), []);
  return (
    <>
      {piecesOf(text, words.value, before).map((piece) =>
        typeof piece === 'string' ? (
          piece
        ) : (
          <a
            key={piece.anchor}
            href={`./glossary.html#${piece.anchor}`}
            class="glossed"
            target="_blank"
            rel="noopener"
          >
            {piece.word}
          </a>
        ),
      )}
    </>
  );
}
