/**
 * @module story: what this is about, what has gone wrong, and news, in a few words.
 */
import type { Violation } from '../engine/protocol.ts';
import { goToParting, goToViolation, sidesNow } from '../focus-store.ts';
import { actorWords, trackNamed } from '../model/culprit.ts';
import { eventWords } from '../model/telling.ts';
import {
  at,
  difference,
  frame,
  models,
  notice,
  positionAt,
  preset,
  recording,
  shortTitles,
  titles,
  violations,
} from '../store.ts';
import { ConnectionLine } from './connection.tsx';
import { Worded } from './worded.tsx';

export function Story() {
  const parted = difference.value;
  return (
    <section class="story" aria-label="Story">
      <p>
        {recording.value === null ? <Worded text={preset.value?.about ?? ''} /> : recordingWords()}
      </p>
      <ConnectionLine />
      {notice.value !== '' && (
        <p class="notice" role="alert">
          {notice.value}
        </p>
      )}
      <ul>
        {recording.value === null && at.value > 0 && (
          <li>
            <b>Step {at.value}.</b> {happened()}
          </li>
        )}
        {parted !== null && (
          <li>
            <button type="button" class="link" onClick={goToParting}>
              ◆ The two runs part at step {parted}
            </button>
          </li>
        )}
        {violations.value.map((verdict, side) => {
          const { violation } = verdict ?? {};
          if (verdict === undefined || violation == null) return null;
          return (
            <li key={titles.value[side]}>
              <button type="button" class="link bad" onClick={() => goToViolation(side)}>
                ✗ {violations.value.length > 1 && `${shortTitles.value[side]}: `}
                {verdict.id} violated at step {violation.step}: {violation.detail}
                {culprit(side, violation)}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** In brackets behind what is wrong, so that it is known where to look. */
function culprit(side: number, { step, actor }: Violation): string {
  const model = models.value[side];
  const track = model && actor !== null && trackNamed(model, actor, positionAt(side, step));
  return track ? ` (${actorWords(track)})` : '';
}

/** What the step brought; where only one side had it, that one is named. */
function happened(): string {
  const { label = null, sides = [] } = frame.value ?? {};
  const side = Math.max(
    0,
    sides.findIndex(({ isSkipped }) => !isSkipped),
  );
  const now = sidesNow.value[side];
  if (now === undefined) return '';
  const { model, position } = now;
  const words = eventWords({ model, from: positionAt(side, at.value - 1), to: position });
  const isAlone = sides.some(({ isSkipped }) => isSkipped);
  return `${isAlone ? `Only ${shortTitles.value[side]}: ` : ''}${words ?? `${label}.`}`;
}

function recordingWords(): string {
  const { title, isLive, model } = recording.value as NonNullable<typeof recording.value>;
  const count = model.records.length.toLocaleString('en');
  return `${isLive ? 'Live' : 'Recorded'}: ${title}, ${count} records, ${model.tracks.size} charts.`;
}
