/**
 * @module operation-panel: the operation that is selected: how it ended, what of it failed and why,
 * by server, and its storage calls. Everything leads to its moment.
 */
import { endTime, isGoingOn } from '../live-clock.ts';
import { durationWords, outcomeOf, shortFile, spanOf } from '../model/operation-tree.ts';
import type { Operation } from '../model/run-model.ts';
import { callWords } from '../model/time-lanes.ts';
import type { TraceModel } from '../model/trace-model.ts';
import { askerOf, firstRefusal, type Trouble, troublesOf } from '../model/troubles.ts';
import { deadlineWords, type Waiting, waitingOf } from '../model/waiting.ts';
import { lookAt, nameOfServer, selected, selectOperation, withNames } from '../recording-store.ts';
import { growth, recording } from '../store.ts';
import { Scroll } from './scroll.tsx';

export function OperationPanel() {
  void growth.value;
  const { value: operation } = selected;
  if (operation === null || recording.value === null) return null;
  const { model, isLive } = recording.value;
  const { name, kind, file, error } = operation;
  const { word, shape, tone } = outcomeOf(operation, isLive);
  const groups = troublesOf(model, operation);
  return (
    <section class="operation" aria-labelledby="operation-title">
      <div class="operation-head">
        <h2 id="operation-title">
          {name} <span class={`outcome ${tone}`}>{`${shape} ${word}`}</span>
        </h2>
        <button type="button" class="small" onClick={() => selectOperation(null)}>
          Show all
        </button>
      </div>
      <Scroll label={`About ${name}`}>
        <p class="about">
          {kind !== null && kind !== name && `${kind}, `}
          {file !== null && (
            <>
              file <code title={file}>{shortFile(file)}…</code>,{' '}
            </>
          )}
          <Lasted operation={operation} />
        </p>
        <Forgotten operation={operation} />
        {isGoingOn.value && <Waits list={waitingOf(model, operation)} />}
        {operation.outcome === 'failed' && <Headline groups={groups} />}
        {error !== null && (
          <p class="error-text">
            <b>{error.name}</b>: {withNames(error.message)}
          </p>
        )}
        <Troubles groups={groups} operation={operation} />
        <Calls model={model} operation={operation} />
      </Scroll>
    </section>
  );
}

type Groups = ReturnType<typeof troublesOf>;

/** Alone, since it is told anew while time goes on. */
function Lasted({ operation }: Pick<Props, 'operation'>) {
  const span = spanOf({ operation, track: null });
  return <>{durationWords(span, span.to ?? endTime.value)}</>;
}

/** What of it is in no trace any more. */
function Forgotten({ operation: { isHeadless, isCut } }: Pick<Props, 'operation'>) {
  if (!isHeadless && !isCut) return null;
  return (
    <p class="forgotten">
      {isHeadless && 'Its first records are forgotten. '}
      {isCut && 'Cut off: nothing of it has come since records were forgotten. It may have ended.'}
    </p>
  );
}

/** Beyond that they are all one. */
const waitsMax = 6;

function Waits({ list }: { readonly list: readonly Waiting[] }) {
  if (list.length === 0) return null;
  return (
    <ul class="waits" aria-label="For whom it waits">
      {list.slice(0, waitsMax).map(({ track, server, ...wait }) => (
        <li key={track.actor} title={track.actor}>
          waits for {nameOfServer(server)}: {deadlineWords(wait, endTime.value)}
        </li>
      ))}
      {list.length > waitsMax && <li class="none">and {list.length - waitsMax} more</li>}
    </ul>
  );
}

/** The error may name who was slow; who refused comes before. */
function Headline({ groups }: { readonly groups: Groups }) {
  const first = firstRefusal(groups);
  if (first === null) return null;
  const { server, trouble } = first;
  return (
    <p class="headline" title={server}>
      <b>{nameOfServer(server)}</b>: {trouble.what}: {withNames(trouble.reason ?? '')}
    </p>
  );
}

interface Props {
  readonly model: TraceModel;
  readonly operation: Operation;
}

function Troubles({ groups, operation }: Pick<Props, 'operation'> & { readonly groups: Groups }) {
  if (groups.length === 0) {
    const isBad = operation.outcome === 'failed';
    return isBad ? <p class="none">No server failed: the error says all.</p> : null;
  }
  return (
    <>
      <h3>What went wrong</h3>
      <ul class="troubles" aria-label="What went wrong, by server">
        {groups.map(({ server, troubles }) => (
          <li key={server ?? ''}>
            <b title={server ?? ''}>{server === null ? 'The operation' : nameOfServer(server)}</b>
            <ul>
              {troubles.map((trouble) => (
                <TroubleLine
                  key={`${trouble.position} ${trouble.what}`}
                  trouble={trouble}
                  operation={operation.name}
                />
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </>
  );
}

function TroubleLine({ trouble, operation }: { trouble: Trouble; operation: string }) {
  const { position, at, what, reason, track } = trouble;
  return (
    <li>
      <button type="button" class="link bad" onClick={() => lookAt(operation, position, track)}>
        ✗ {what} at {Math.round(at).toLocaleString('en')} ms
        {reason !== null && <span class="reason">{withNames(reason)}</span>}
      </button>
    </li>
  );
}

/** More would be no help: the lanes have them all. */
const callsMax = 200;

function Calls({ model, operation: { name, calls } }: Props) {
  if (calls.length === 0) return null;
  return (
    <details>
      <summary>
        {calls.length.toLocaleString('en')} storage {calls.length === 1 ? 'call' : 'calls'}
      </summary>
      <ul class="calls" aria-label={`Storage calls of ${name}`}>
        {calls.slice(0, callsMax).map((call) => (
          <li key={call.id}>
            <button
              type="button"
              class={call.fate === 'lost' ? 'link bad' : 'link'}
              title={call.server}
              onClick={() => lookAt(name, (call.ended ?? call.sent).position, askerOf(model, call))}
            >
              {call.fate === 'lost' ? '✗ ' : ''}
              {nameOfServer(call.server)} {callWords(call)}
            </button>
          </li>
        ))}
        {calls.length > callsMax && (
          <li class="none">and {(calls.length - callsMax).toLocaleString('en')} more</li>
        )}
      </ul>
    </details>
  );
}
