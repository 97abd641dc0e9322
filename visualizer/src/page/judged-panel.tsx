/**
 * @module judged-panel: every property as a recording decides it: what is violated and where, then
 * what holds, then what cannot be decided and why.
 */
import type { JudgedProperty, ViolatedProperty } from '../../../src/simulation/judgement-parts.ts';
import { goToActor, sidesNow } from '../focus-store.ts';
import { isJudging, judge, judged, unjudged } from '../judged-store.ts';
import { actorWords, trackNamed } from '../model/culprit.ts';
import { counted } from '../model/numbers.ts';
import { placeIn } from '../model/room.ts';
import { at, recording } from '../store.ts';
import './judged.css';
import { Scroll } from './scroll.tsx';

export function JudgedPanel() {
  const { summary, about, parts } = judged.value ?? {
    ...{ summary: 'not judged yet', about: null, parts: null },
  };
  return (
    <section class="panel judged" aria-labelledby="judged-title">
      <h2 id="judged-title">
        Properties <output class="count">{summary}</output>
      </h2>
      {about !== null && <p class="about">{about}</p>}
      {recording.value?.isLive === true && <Newer />}
      {parts !== null && (
        <Scroll label="All properties">
          {parts.violated.length > 0 && (
            <ul class="violated" aria-label="Violated">
              {parts.violated.map((property) => (
                <Violated key={property.id} property={property} />
              ))}
            </ul>
          )}
          {parts.holds.length > 0 && (
            <>
              <h3 class="good">✓ {parts.holds.length} hold</h3>
              <Names label="Hold" list={parts.holds} />
            </>
          )}
          {[...parts.undecided].map(([because, list]) => (
            <div key={because}>
              <h3>
                ? {list.length} cannot be decided: <span class="because">{because}</span>
              </h3>
              <Names label={`Cannot be decided: ${because}`} list={list} />
            </div>
          ))}
        </Scroll>
      )}
    </section>
  );
}

/** What a live run has told since; it is judged by itself when it is at rest. */
function Newer() {
  const { value: newer } = unjudged;
  return (
    <p class="newer">
      <button
        type="button"
        class="small"
        aria-disabled={newer === 0 || isJudging.value}
        onClick={() => judge()}
      >
        Judge now
      </button>
      {isJudging.value && 'judging…'}
      {!isJudging.value && newer > 0 && `${counted(newer, 'newer record')}, judged at rest`}
    </p>
  );
}

function Violated({ property }: { readonly property: ViolatedProperty }) {
  const { id, name, statement, verdict } = property;
  const { seq, because, actor } = verdict;
  const [side] = sidesNow.value;
  if (side === undefined) return null;
  // As the rest of the page counts: of a live run the oldest may be gone.
  const place = placeIn(side.model, seq);
  const track = actor === null ? null : trackNamed(side.model, actor, place + 1);
  return (
    <li title={statement}>
      <span>
        <b>{id}</b> {name}: <span class="because">{because}</span>
      </span>
      <button
        type="button"
        class="link bad"
        aria-current={at.value === place ? 'step' : undefined}
        onClick={() => goToActor(0, place, actor)}
      >
        ✗ violated at record {place}
      </button>
      {track && <span class="culprit">broken by {actorWords(track)}</span>}
    </li>
  );
}

function Names({
  label,
  list,
}: {
  readonly label: string;
  readonly list: readonly JudgedProperty[];
}) {
  return (
    <ul aria-label={label}>
      {list.map(({ id, name, statement }) => (
        <li key={id} title={statement}>
          <b>{id}</b> {name}
        </li>
      ))}
    </ul>
  );
}
