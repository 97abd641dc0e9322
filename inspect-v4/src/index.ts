/**
 * @module inspect-v4: receives runs through the real `@xstate/inspect` receiver, which parses every
 * machine and state with XState 4, and gives back the records that were sent.
 */
import { createWebSocketReceiver } from '@xstate/inspect';
import { createUnwire, type UnwireListener } from './unwire.ts';

export { createUnwire, type UnwireListener } from './unwire.ts';

/**
 * Subscribes to a run.
 * @param address `127.0.0.1:PORT/TOKEN`
 */
export function receive(address: string, listener: UnwireListener): void {
  const unwire = createUnwire(listener);
  const receiver = createWebSocketReceiver({ server: address, serialize: undefined });
  receiver.subscribe((event) => unwire(event as never));
}
