/**
 * @module context-panel: what is known of one actor: its state, what it just heard, which
 * transitions it took and why it refused the others, what went wrong, and its context.
 */
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { type ChartTransition, eventLabel, statesIn } from '../../../src/inspector/chart.ts';
import type { Json } from '../../../src/runtime/trace.ts';
import { pictures } from '../charts.ts';
import { changesIn, type Field, fieldsOf } from '../model/changes.ts';
import { type FailureText, failuresIn } from '../model/failures.ts';
import { type Move, type Moves, movesAt } from '../model/moves.ts';
import { counted } from '../model/numbers.ts';
import type { Asked } from '../model/refused.ts';
import { isEnded, type TraceModel, type Track } from '../model/trace-model.ts';
import { withNames } from '../recording-store.ts';
import { goTo, recording } from '../store.ts';
import './context.css';
import { Fields } from './fields.tsx';

/** Null: open for what is recorded, where one looks for reasons; closed beside the grid. */
const isOpenByHand = signal<boolean | null>(null);
const isOpen = () => isOpenByHand.value ?? recording.value !== null;

export function toggleContext(): void {
  isOpenByHand.value = !isOpen();
  if (!isOpen()) return;
  // Below a large chart nobody would see it.
  requestAnimationFrame(() => {
    for (const panel of [...document.querySelectorAll('.context')].reverse()) {
      panel.scrollIntoView({ block: 'nearest' });
    }
  });
}

interface Props {
  readonly model: TraceModel;
  readonly track: Track;
  /** Behind its name, where the other side has an actor of that name too. */
  readonly whose: string;
  /** How many records had happened at the step that is looked at, and before it. */
  readonly position: number;
  readonly before: number;
}

export function ContextPanel({ model, track, whose, position, before }: Props) {
  const chart = pictures.value.get(track.chart)?.entry.chart;
  const found = movesAt(model, track, chart, { before, position });
  if (found === undefined) return null;
  const fields = fieldsOf(found.before, found.after);
  const changes = found.isNow ? changesIn(fields) : 0;
  const refused = found.isNow ? refusedIn(found.moves) : 0;
  const { state } = found.mark;
  const { description } = (chart && statesIn(chart.root).find(({ path }) => path === state)) ?? {};
  return (
    <section class="context" aria-label={`Context of ${withNames(track.actor)}${whose}`}>
      <h3>
        <button
          type="button"
          class="fold"
          aria-expanded={isOpen()}
          title="What it knows, and why it does what it does (i)"
          onClick={toggleContext}
        >
          Context of {withNames(nameOf(track))}
          <span class="count">
            {counted(changes, 'change')}, {refused} refused
          </span>
        </button>
      </h3>
      {isOpen() && (
        <div class="context-parts">
          <div class="happened">
            <p>
              <b>{state.replaceAll('.', ' › ')}</b> {description}
              {isEnded(track, position) ? ` Its chart is over (${track.end?.status}).` : ''}
            </p>
            <When found={found} />
            <ol class="moves" aria-label="What it did">
              {found.moves.map((move, i) => (
                <MoveRow key={`${i} ${move.event}`} move={move} actor={track.actor} />
              ))}
            </ol>
            <Failures list={failuresOf(model, track, position, found)} />
          </div>
          <div class="known">
            <div class="known-head">
              <h4>Context: a summary, as the trace has it</h4>
              <Copy
                what={{ actor: track.actor, chart: track.chart, state, context: found.after }}
              />
            </div>
            {fields.length === 0 ? <p class="none">empty</p> : <Fields list={fields} />}
          </div>
        </div>
      )}
    </section>
  );
}

/** `query:s3`, `writeFile`. */
function nameOf({ actor }: Track): string {
  return actor.slice(actor.lastIndexOf('/') + 1);
}

function refusedIn(moves: readonly Move[]): number {
  const asked = moves.flatMap(({ steps }) => steps.flatMap((step) => step.asked ?? []));
  const atRest = moves.flatMap((move) => move.atRest);
  return asked.filter(({ verdict }) => verdict === 'refused').length + atRest.length;
}

function When({ found: { isNow, mark } }: { readonly found: Moves }) {
  if (isNow) return null;
  const isRecording = recording.value !== null;
  const unit = isRecording ? 'record' : 'step';
  const place = isRecording ? mark.position - 1 : mark.column;
  return (
    <p>
      It does nothing here. The last that it did:{' '}
      <button type="button" class="link" onClick={() => goTo(place)}>
        {unit} {place}
      </button>
    </p>
  );
}

// --- what it did ----------------------------------------------------------------------------------

function MoveRow({ move, actor }: { readonly move: Move; readonly actor: string }) {
  const { event, source, data, steps, atRest } = move;
  const isBeginning = event === 'xstate.init';
  const isUntold = steps.some(({ asked }) => asked === null);
  return (
    <li>
      {isBeginning ? (
        'It begins'
      ) : (
        <>
          It hears <code>{eventLabel(event)}</code>
          {source !== null && (
            <>
              {' '}
              from <code title={source}>{withNames(relative(source, actor))}</code>
            </>
          )}
        </>
      )}
      <Data value={data} word={isBeginning ? 'its input' : 'with'} />
      <ul class="asked">
        {steps.map(({ asked, to }, i) => (
          <Alternatives key={`${i} ${to}`} list={asked ?? []} />
        ))}
        {isUntold && <li>What was refused cannot be told: its chart is not known here.</li>}
        {!isBeginning && steps.every(isIgnored) && (
          <li>
            <Verdict word="ignored" />: nothing was taken
          </li>
        )}
        {atRest.map((transition) => (
          <Refusal key={transition.id} transition={transition} />
        ))}
      </ul>
    </li>
  );
}

function isIgnored({ asked }: Move['steps'][number]): boolean {
  return asked?.every(({ verdict }) => verdict === 'refused') ?? false;
}

function Alternatives({ list }: { readonly list: readonly Asked[] }) {
  const unasked = list.filter(({ verdict }) => verdict === 'unasked').length;
  return (
    <>
      {list.map(({ transition, verdict }) => {
        if (verdict === 'refused') return <Refusal key={transition.id} transition={transition} />;
        if (verdict === 'unasked') return null;
        return (
          <li key={transition.id}>
            <Verdict word="taken" /> <Words transition={transition} />
          </li>
        );
      })}
      {unasked > 0 && <li class="none">{counted(unasked, 'further alternative')} not asked</li>}
    </>
  );
}

function Refusal({ transition }: { readonly transition: ChartTransition }) {
  return (
    <li>
      <Verdict word="refused" /> <Words transition={transition} />: {transition.guard} was false
    </li>
  );
}

const shapes = { taken: '✓', refused: '⊘', ignored: '○' } as const;

function Verdict({ word }: { readonly word: keyof typeof shapes }) {
  return (
    <b class={`verdict ${word}`}>
      <i aria-hidden="true">{shapes[word]}</i> {word}
    </b>
  );
}

function Words({ transition }: { readonly transition: ChartTransition }) {
  const { event, guard, target } = transition;
  const condition = guard === '' ? '' : ` [${guard}]`;
  const where = target === null ? 'stays' : `→ ${target.replaceAll('.', ' › ')}`;
  return <code>{`${event === '' ? 'by itself' : event}${condition} ${where}`}</code>;
}

/** From the actor's own children on, or the whole path. */
function relative(source: string, actor: string): string {
  return source.startsWith(`${actor}/`) ? source.slice(actor.length + 1) : source;
}

function Data({ value, word }: { readonly value: Json; readonly word: string }) {
  const [isShown, show] = useState(false);
  const fields: readonly Field[] = fieldsOf(undefined, value);
  if (fields.length === 0) return null;
  return (
    <>
      {' '}
      <button type="button" class="fold" aria-expanded={isShown} onClick={() => show(!isShown)}>
        {word}: {fields.map(({ key }) => key).join(', ')}
      </button>
      {isShown && <Fields list={fields} />}
    </>
  );
}

// --- what went wrong ------------------------------------------------------------------------------

/** In its context, in its output when it is over, and in what its operation came to. */
function failuresOf(
  model: TraceModel,
  track: Track,
  position: number,
  { after, moves }: Moves,
): readonly FailureText[] {
  const ended = isEnded(track, position)
    ? model.records[(track.end?.position ?? 0) - 1]
    : undefined;
  const output = ended?.kind === 'end' ? ended.output : null;
  const heard = moves.map(({ data }) => data);
  const all = [...failuresIn(after), ...failuresIn(output), ...heard.flatMap(failuresIn)];
  const byText = new Map(all.map((failure) => [failure.text, failure]));
  return [...byText.values()];
}

function Failures({ list }: { readonly list: readonly FailureText[] }) {
  if (list.length === 0) return null;
  return (
    <>
      <h4>What went wrong</h4>
      <ul class="failures">
        {list.map(({ where, text }) => (
          <li key={text}>
            <b class="bad">
              <i aria-hidden="true">✗</i>
            </b>{' '}
            {withNames(text)} {where !== '' && <span class="none">({withNames(where)})</span>}
          </li>
        ))}
      </ul>
    </>
  );
}

// --- what it knows --------------------------------------------------------------------------------

function Copy({ what }: { readonly what: Json }) {
  const [said, say] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(JSON.stringify(what, null, 2));
      say('copied');
    } catch {
      say('the browser does not allow it');
    }
  };
  return (
    <>
      <button type="button" class="small" onClick={() => void copy()}>
        Copy as JSON
      </button>
      <output>{said}</output>
    </>
  );
}
