/**
 * @module explore-panel: every order: what to explore, how far it has come, what came of it, and
 * along the run that is looked at, which part of the orders that are left violates.
 */
import './explore.css';
import {
  chosenSide,
  type Explored,
  explorations,
  exploreOrders,
  faultsMax,
  isExploring,
  isFromHere,
  showFound,
  stopExploring,
} from '../explore-store.ts';
import {
  decidedAt,
  fraction,
  progressWords,
  resultWords,
  shareWords,
} from '../model/explored-words.ts';
import { type FoundRun, foundScenario, scenarioName } from '../model/found-scenario.ts';
import { at, branch, frame, goTo, last, notice, preset, scene, shortTitles } from '../store.ts';
import { saveText } from './files.ts';

export function ExplorePanel() {
  const sides = scene.value?.sides ?? [];
  return (
    <section class="panel explore" aria-labelledby="explore-title">
      <h2 id="explore-title">Every order</h2>
      <div class="explore-ask">
        {sides.length > 1 && (
          <select
            aria-label="Which side"
            value={chosenSide.value ?? 'both'}
            onChange={({ currentTarget: { value } }) => {
              chosenSide.value = value === 'both' ? null : Number(value);
            }}
          >
            <option value="both">both</option>
            {sides.map(({ short }, i) => (
              <option key={short} value={i}>
                {short}
              </option>
            ))}
          </select>
        )}
        <select
          aria-label="From which step"
          value={isFromHere.value ? 'here' : 'start'}
          onChange={({ currentTarget: { value } }) => {
            isFromHere.value = value === 'here';
          }}
        >
          <option value="start">from the beginning</option>
          <option value="here">from this step</option>
        </select>
        <select
          aria-label="How many faults"
          value={faultsMax.value}
          onChange={({ currentTarget: { value } }) => {
            faultsMax.value = Number(value);
          }}
        >
          <option value="0">no faults</option>
          <option value="1">one fault at most</option>
          <option value="2">two faults at most</option>
        </select>
        {isExploring.value ? (
          <button type="button" onClick={stopExploring}>
            Stop
          </button>
        ) : (
          <button
            type="button"
            disabled={frame.value === undefined}
            onClick={() => void exploreOrders()}
          >
            Explore every order
          </button>
        )}
      </div>
      <ul class="explored">
        {explorations.value.map((explored) => (
          <Result key={explored.side} explored={explored} />
        ))}
      </ul>
      <Curve />
      <ScenarioButtons />
    </section>
  );
}

function Result({ explored }: { readonly explored: Explored }) {
  const { side, exploration } = explored;
  const name = shortTitles.value[side] ?? '';
  const { status, states, walked, commuted, found } = exploration;
  const isRunning = status === 'running';
  const words = isRunning ? progressWords(exploration) : resultWords(exploration);
  const counts = [states, walked, commuted].map((n) => n.toLocaleString('en'));
  return (
    <li>
      <span role={isRunning ? undefined : 'status'}>
        <b>{(scene.value?.sides.length ?? 1) > 1 ? `${name}: ` : ''}</b>
        {words}
      </span>
      {isRunning && <progress aria-label={`${name}, explored`} />}
      {!isRunning && (
        <small title={`${counts[1]} steps walked; ${counts[2]} more commute with one of those`}>
          {counts[0]} states
        </small>
      )}
      {found !== null && !isRunning && (
        <button type="button" class="small" onClick={() => void showFound(explored)}>
          Show the shortest
        </button>
      )}
    </li>
  );
}

const width = 320;
const height = 44;

/** One line per side, the second one dashed: the violating part of what is left, step by step. */
function Curve() {
  const drawn = explorations.value.filter(({ shares }) => shares.length > 0);
  if (drawn.length === 0) return null;
  const x = (step: number) => 4 + (step * (width - 8)) / Math.max(1, last.value);
  const y = (part: number) => height - 6 - part * (height - 12);
  return (
    <figure class="curve">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label="The violating part of the orders that are left, per step"
      >
        <path class="rule" d={`M4 ${y(0)}H${width - 4}M4 ${y(1)}H${width - 4}`} />
        {drawn.map(({ side, shares }) => (
          <polyline
            key={side}
            class={side === 0 ? 'part' : 'part other'}
            points={shares.map((s) => `${x(s.step)},${y(fraction(s))}`).join(' ')}
          />
        ))}
        {drawn.flatMap(({ side, shares }) =>
          shares.map((s) => (
            <circle key={`${side} ${s.step}`} cx={x(s.step)} cy={y(fraction(s))} r={2.5} />
          )),
        )}
        <path class="now" d={`M${x(at.value)} 0V${height}`} />
      </svg>
      <figcaption>
        <span class="axis">Of the orders left, 0 to 100 % violate; step 0 to {last.value}</span>
        {drawn.map((explored) => (
          <Here key={explored.side} explored={explored} />
        ))}
      </figcaption>
    </figure>
  );
}

/** What the curve says of the step that is looked at, and where it rose most. */
function Here({ explored: { side, shares } }: { readonly explored: Explored }) {
  const here = shares.findLast(({ step }) => step <= at.value);
  const decided = decidedAt(shares);
  const name = shortTitles.value[side];
  return (
    <p>
      <span>
        <b>{name}</b>
        {side > 0 && ' (dashed)'}, step {at.value}:{' '}
        {here === undefined || at.value > (shares.at(-1)?.step ?? 0)
          ? 'not among the orders explored'
          : shareWords(here)}
      </span>
      {decided !== null && (
        <button type="button" class="small" onClick={() => goTo(decided)}>
          decided at step {decided}
        </button>
      )}
    </p>
  );
}

/** The run up to the step that is looked at, on the first side that violates something there. */
function currentRun(): FoundRun | null {
  const sides = frame.value?.sides ?? [];
  const broken = ({ verdicts }: (typeof sides)[number]) =>
    verdicts.flatMap(({ id, violation }) =>
      violation === null ? [] : [{ id, detail: violation.detail }],
    );
  const side = Math.max(
    0,
    sides.findIndex((s) => broken(s).length > 0),
  );
  const { options } = scene.value?.sides[side] ?? {};
  const { [side]: seen } = sides;
  if (options === undefined || seen === undefined || branch.value === undefined) return null;
  const labels = branch.value.frames
    .slice(1, at.value + 1)
    .filter((f) => f.sides[side]?.isSkipped === false)
    .map(({ label }) => label as string);
  const title = `A run of “${preset.value?.title ?? 'a scene'}”`;
  return { title, options, labels, violations: broken(seen) };
}

function ScenarioButtons() {
  const run = currentRun();
  if (run === null || run.labels.length === 0) return null;
  const copy = async () => {
    const text = foundScenario(run);
    await navigator.clipboard.writeText(text).then(
      () => {
        notice.value = `Copied: a test, as test/scenarios/${scenarioName(run)} with a row in README.md there`;
      },
      (error: Error) => {
        notice.value = `The clipboard is not to be had (${error.message}); save it instead`;
      },
    );
  };
  return (
    <div class="explore-ask">
      <button type="button" class="small" onClick={() => void copy()}>
        Copy as scenario
      </button>
      <button
        type="button"
        class="small"
        onClick={() => saveText(scenarioName(run), foundScenario(run))}
      >
        Save as scenario
      </button>
    </div>
  );
}
