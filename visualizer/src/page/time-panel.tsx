/**
 * @module time-panel: lanes, branches, the scrubber, and what happened at the step looked at.
 */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { wordsOf } from '../model/words.ts';
import { isTimed, withNames } from '../recording-store.ts';
import {
  at,
  branch,
  branches,
  chooseBranch,
  currentId,
  frame,
  goTo,
  isPlaying,
  isPresent,
  last,
  models,
  positionAt,
  recording,
  titles,
  togglePlaying,
} from '../store.ts';
import { gutterWidth, Lanes, xOf } from './lanes.tsx';
import { Later } from './later.tsx';
import { Scroll } from './scroll.tsx';
import { showIn } from './show-in.ts';

const timeLanes = () => import('./time-lanes.tsx').then(({ TimeLanes }) => TimeLanes);
const timeTools = () => import('./time-lanes.tsx').then(({ TimeTools }) => TimeTools);

export function TimePanel() {
  const words = stepWords();
  return (
    <section class="panel time" aria-labelledby="time-title">
      <div class="time-head">
        <h2 id="time-title">Time</h2>
        <div class="scrubber">
          <button type="button" aria-label="The beginning" onClick={() => goTo(0)}>
            |◀
          </button>
          <button type="button" aria-label="A step back" onClick={() => goTo(at.value - 1)}>
            ◀
          </button>
          <button type="button" onClick={togglePlaying}>
            {isPlaying.value ? 'Pause' : 'Play'}
          </button>
          <button type="button" aria-label="A step on" onClick={() => goTo(at.value + 1)}>
            ▶
          </button>
          <button type="button" aria-label="The end" onClick={() => goTo(last.value)}>
            ▶|
          </button>
          <input
            type="range"
            min={0}
            max={last.value}
            value={at.value}
            aria-label="Step"
            aria-valuetext={words}
            onInput={({ currentTarget }) => goTo(Number(currentTarget.value))}
          />
          <span class="where">{words}</span>
        </div>
        {!isPresent.value && recording.value === null && (
          <button type="button" class="link" onClick={() => goTo(last.value)}>
            Acting here makes a branch. Back to the end
          </button>
        )}
        {isTimed.value && <Later load={timeTools} />}
      </div>
      <Branches />
      <div class="happenings">
        <div class="lane-sides">
          {models.value.map((model, side) => (
            <div key={titles.value[side]} class="lane-side">
              {models.value.length > 1 && <h3>{titles.value[side]}</h3>}
              {isTimed.value ? (
                <Later load={timeLanes} />
              ) : (
                <Lanes model={model} side={side} title={titles.value[side] ?? ''} />
              )}
            </div>
          ))}
        </div>
        <StepLog />
      </div>
    </section>
  );
}

function stepWords(): string {
  const unit = recording.value === null ? 'Step' : 'Record';
  const record = recording.value?.model.records[at.value];
  const label =
    record === undefined ? (frame.value?.label ?? 'the beginning') : wordsOf(record, withNames);
  return `${unit} ${at.value} of ${last.value}${label ? `: ${label}` : ''}`;
}

/** Every branch as a line off its parent. */
function Branches() {
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    showIn(list.current, '[aria-current="true"]');
  }, [currentId.value, branches.value.length]);
  if (branches.value.length < 2 || recording.value !== null) return null;
  return (
    <ul class="branches" ref={list} aria-label="Branches">
      {branches.value.map(({ id, frames, forkedAt, parent }) => {
        const left = Math.max(gutterWidth(), xOf(forkedAt));
        const right = xOf(frames.length - 1);
        return (
          <li key={id}>
            <button
              type="button"
              aria-current={id === currentId.value}
              style={{ marginLeft: `${left}px`, minWidth: `${Math.max(24, right - left)}px` }}
              onClick={() => chooseBranch(id)}
            >
              {parent === null ? 'first run' : `branch ${id}, off at step ${forkedAt}`}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

const linesMax = 60;

function StepLog() {
  void branch.value;
  return (
    <div class="step-log">
      <h3>At this step</h3>
      <Scroll label="What happened at this step" className="log-sides">
        {models.value.map((model, side) => {
          const [from, to] = [positionAt(side, at.value - 1), positionAt(side, at.value)];
          const records = model.records.slice(from, to);
          const lines = records
            .map((record) => ({ line: wordsOf(record, withNames), title: wordsOf(record) }))
            .filter(({ line }) => line !== null);
          return (
            <ul key={titles.value[side]} aria-label={titles.value[side]}>
              {lines.slice(0, linesMax).map(({ line, title }, i) => (
                <li key={`${from + i}`} title={title === line ? undefined : (title ?? undefined)}>
                  {line}
                </li>
              ))}
              {lines.length === 0 && <li class="none">nothing to tell</li>}
            </ul>
          );
        })}
      </Scroll>
    </div>
  );
}
