/**
 * @module announcer: one polite live region for the whole page. While a run is played it tells
 * violations and outcomes only; at the scrubber, which tells its step itself, no step.
 */
import { outcomeWords, turnWords, violationWords } from '../model/announce.ts';
import { wordsOf } from '../model/words.ts';
import { withNames } from '../recording-store.ts';
import { at, branch, frame, isPlaying, isPresent, last, recording, titles } from '../store.ts';

export function Announcer() {
  return (
    <p class="hidden" role="status" id="announcer">
      {words()}
    </p>
  );
}

function words(): string {
  if (recording.value !== null) return recordedWords();
  const { value: now } = frame;
  if (now === undefined) return '';
  const step = at.value;
  const news = [
    ...violationWords(now, step, titles.value),
    ...outcomeWords(now, branch.value?.frames[step - 1], titles.value),
  ];
  if (isPlaying.value) return news.join(' ');
  const where = `Step ${step} of ${last.value}: ${now.label ?? 'the beginning'}.`;
  return [...(isAtScrubber() ? [] : [where]), ...news, turnWords(now)].join(' ');
}

/** Of what comes in while one listens, only what operations come to. */
function recordedWords(): string {
  const { isLive = false, model } = recording.value ?? {};
  const record = model?.records[at.value];
  if (record === undefined) return '';
  if (isPlaying.value || (isLive && isPresent.value)) return lastOutcome();
  const told = wordsOf(record, withNames);
  return isAtScrubber() ? '' : `Record ${at.value} of ${last.value}${told ? `: ${told}` : ''}`;
}

/** So far back nobody wants to hear of it. */
const recordsBack = 5000;

function lastOutcome(): string {
  const records = recording.value?.model.records ?? [];
  for (let i = at.value; i > Math.max(-1, at.value - recordsBack); i--) {
    const record = records[i];
    if (record?.kind === 'operation' && record.event !== 'started') {
      return wordsOf(record, withNames) ?? '';
    }
  }
  return '';
}

function isAtScrubber(): boolean {
  return document.activeElement?.matches('input[type=range]') ?? false;
}
