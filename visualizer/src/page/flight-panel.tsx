/**
 * @module flight-panel: messages in flight, each with what can happen to it; and starts and time.
 */
import type { Message } from '../../../src/simulation/network.ts';
import type { OfferedChoice } from '../engine/protocol.ts';
import { showFaults, showsFaults } from '../explore-store.ts';
import { act, frame, isBusy, shortTitles, versionNames } from '../store.ts';

/** What a person reads on a button, by kind of choice. */
const verbs: Readonly<Record<string, string>> = {
  arrive: 'arrive only',
  drop: 'drop',
  delay: 'delay',
  garble: 'corrupt',
  reset: 'break',
};
const withoutFaults = ['start', 'advance'];
const withFaults = [...withoutFaults, 'kill', 'cancel'];
const offered = ['drop', 'delay', 'garble', 'reset', 'arrive'];
const refusals: Readonly<Record<string, string>> = {
  delay: 'no deadline is running, or it is delayed already',
  garble: 'only what is read can be corrupted on its way',
  arrive: 'the server has it already',
  deliver: 'it waits until time passes, or its server is cut off',
};

export interface Flight {
  readonly message: Message;
  readonly sides: readonly boolean[];
}

/** The messages of all sides, by label. */
export function flights(): readonly Flight[] {
  const lists = frame.value?.sides.map(({ messages }) => messages) ?? [];
  const all = new Map<string, Message>();
  for (const message of lists.flat()) if (!all.has(message.label)) all.set(message.label, message);
  return [...all.values()].map((message) => ({
    message,
    sides: lists.map((list) => list.some(({ label }) => label === message.label)),
  }));
}

/** A choice about a message, by its kind. */
export function choiceFor(kind: string, label: string): OfferedChoice | undefined {
  return frame.value?.choices.find((choice) => choice.label === `${kind} ${label}`);
}

export function FlightPanel() {
  const list = flights();
  const others = frame.value?.choices.filter(({ kind }) =>
    (showsFaults.value ? withFaults : withoutFaults).includes(kind),
  );
  return (
    <section class="panel flight" aria-labelledby="flight-title" aria-busy={isBusy.value}>
      <h2 id="flight-title">
        Next: choose <span class="count">{list.length} in flight</span>{' '}
        <label class="faults-switch">
          <input
            type="checkbox"
            checked={showsFaults.value}
            onChange={({ currentTarget }) => showFaults(currentTarget.checked)}
          />
          faults
        </label>
      </h2>
      <div class="others">
        {others?.map((choice) => (
          <button
            key={choice.label}
            type="button"
            class={choice.kind === 'start' ? 'main' : undefined}
            onClick={() => void act(choice)}
          >
            {choice.kind === 'advance' ? 'let time pass' : choice.label}
          </button>
        ))}
      </div>
      <ol class="scroll" aria-label="Messages in flight">
        {list.map((flight, i) => (
          <FlightRow key={flight.message.label} {...flight} number={i + 1} />
        ))}
        {list.length === 0 && <li class="none">No message is in flight.</li>}
      </ol>
    </section>
  );
}

function FlightRow({ message, sides, number }: Flight & { readonly number: number }) {
  const { label, operation, server, what, phase, isDelayed, isAbandoned, write } = message;
  const deliver = choiceFor('deliver', label);
  const only = sides.every(Boolean) ? -1 : sides.indexOf(true);
  return (
    <li data-message={label}>
      <button
        type="button"
        class="deliver"
        aria-disabled={deliver === undefined}
        title={deliver === undefined ? refusals.deliver : undefined}
        onClick={() => deliver && void act(deliver)}
      >
        <kbd>{number <= 9 ? number : ''}</kbd>
        <span class="hidden">deliver </span>
        <span class="route">
          {phase === 'request' ? `${operation} → ${server}` : `${server} → ${operation}`}
        </span>
        <span class="what">
          {what}
          {write !== null && (
            <small> {versionNames.value[sides.indexOf(true)]?.plain(write.version)}</small>
          )}
          {isDelayed && <small> delayed</small>}
          {isAbandoned && <small> nobody waits</small>}
        </span>
        {only >= 0 && <small class="only">{shortTitles.value[only]} only</small>}
      </button>
      <span class="fates" hidden={!showsFaults.value}>
        {showsFaults.value &&
          offered.map((kind) => {
            const choice = choiceFor(kind, label);
            const word = verbs[kind] as string;
            return (
              <button
                key={kind}
                type="button"
                class="small"
                aria-label={`${word} ${label}`}
                aria-disabled={choice === undefined}
                title={choice === undefined ? `not now: ${refusals[kind] ?? ''}` : undefined}
                onClick={() => choice && void act(choice)}
              >
                {word}
              </button>
            );
          })}
      </span>
    </li>
  );
}
