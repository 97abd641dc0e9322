/**
 * @module inspect-v4: receives runs through the real receiver of `@xstate/inspect`, which parses
 * every machine and state with XState 4, and gives back the records that were sent.
 *
 * Of the package's two receivers it is the one for windows, over a socket of the caller's own. The
 * one for sockets does not tell that a connection has ended, and hides what it cannot parse.
 */
import { createWindowReceiver } from '@xstate/inspect';
import type { RunAbout } from '../../src/inspector/wire.ts';
import type { TraceRecord } from '../../src/simulation/world-types.ts';
import { createUnwire, type Received } from './unwire.ts';

export { createWebSocketReceiver } from '@xstate/inspect';
export { createUnwire, type Received } from './unwire.ts';

/** What one message tells. */
export type Told = { readonly run: RunAbout } | { readonly record: TraceRecord };

/**
 * A receiver for the messages of one run.
 * @returns what a message tells; it may be of a stranger: the record is still to be checked
 * @throws TypeError and others, as XState 4 does, when the message is none of `@xstate/inspect`
 */
export function createReceiver(): (message: unknown) => Told {
  const unwire = createUnwire();
  let handle: (event: { readonly data: unknown }) => void = () => {};
  let told: Told | undefined;
  // A window that is none: what throws in the listener of a real one is not told to who dispatches.
  const window = {
    addEventListener: (_type: string, listener: typeof handle) => {
      handle = listener;
    },
  };
  const receiver = createWindowReceiver({
    window: window as never,
    targetWindow: { postMessage: () => {} } as never,
  });
  receiver.subscribe((event) => {
    const received = event as Received;
    told = received.run === undefined ? { record: unwire(received) } : { run: received.run };
  });
  return (message) => {
    told = undefined;
    handle({ data: message });
    if (told === undefined) throw new TypeError('it is no message of @xstate/inspect');
    return told;
  };
}
