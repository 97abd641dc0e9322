/**
 * @module judged-words: what a judgement says of a recording, in words.
 */
import type { Judgement } from '../../../src/simulation/judge-trace.ts';
import { type JudgementParts, partsOf } from '../../../src/simulation/judgement-parts.ts';
import { counted, inWords } from './numbers.ts';

export interface JudgedWords {
  /** `26 of 43 decided, all hold` */
  readonly summary: string;
  /** What was judged, or why nothing could be; a sentence. */
  readonly about: string;
  /** Null: the records are not as they should be. */
  readonly parts: JudgementParts | null;
}

export function judgedWords(judgement: Judgement): JudgedWords {
  if (judgement.kind === 'refused') {
    return { summary: 'not judged', about: `${capital(judgement.problem)}.`, parts: null };
  }
  const { run, operations, files, unfinished, properties } = judgement;
  const parts = partsOf(judgement);
  const { decided, outcome } = parts;
  const where = files > 1 ? ` on ${counted(files, 'file')}` : '';
  const open = unfinished > 0 ? `, ${inWords(unfinished)} unfinished` : '';
  const left = properties.length - decided;
  const why = left > 0 ? ` Why ${left} cannot be decided comes last.` : '';
  return {
    summary: `${decided} of ${properties.length} decided, ${outcome}`,
    about: `A ${run} run: ${counted(operations, 'operation')}${where}${open}.${why}`,
    parts,
  };
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
