/**
 * @module story: what this is about, what has gone wrong, and news, in a few words.
 */
import {
  at,
  difference,
  goTo,
  isPresent,
  last,
  notice,
  preset,
  recording,
  titles,
  violations,
} from '../store.ts';

export function Story() {
  const parted = difference.value;
  return (
    <section class="story" aria-label="Story">
      <p>{recording.value === null ? preset.value?.about : recordingWords()}</p>
      {notice.value !== '' && (
        <p class="notice" role="alert">
          {notice.value}
        </p>
      )}
      <ul>
        {parted !== null && (
          <li>
            <button type="button" class="link" onClick={() => goTo(parted)}>
              ◆ The two runs part at step {parted}
            </button>
          </li>
        )}
        {violations.value.map((verdict, side) => {
          const { violation } = verdict ?? {};
          if (verdict === undefined || violation == null) return null;
          return (
            <li key={titles.value[side]}>
              <button type="button" class="link bad" onClick={() => goTo(violation.step)}>
                ✗ {titles.value[side]}: {verdict.id} violated at step {violation.step}:{' '}
                {violation.detail}
              </button>
            </li>
          );
        })}
        {!isPresent.value && recording.value === null && (
          <li>
            <button type="button" class="link" onClick={() => goTo(last.value)}>
              You look at step {at.value} of {last.value}; acting here makes a branch. Back to the
              end
            </button>
          </li>
        )}
      </ul>
    </section>
  );
}

function recordingWords(): string {
  const { title, isLive, model } = recording.value as NonNullable<typeof recording.value>;
  const count = model.records.length.toLocaleString('en');
  return `${isLive ? 'Live' : 'Recorded'}: ${title}, ${count} records, ${model.tracks.size} charts.`;
}
