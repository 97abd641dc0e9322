/**
 * @module relay-process: one {@link DelayingRelay} per server, in a process of their own, so that what
 * they do is no client's CPU time.
 *
 *     node relay-process.js PORT …
 *
 * It tells the ports that stand for these, and takes {@link RelayOrder}s.
 */
import { DelayingRelay } from './delaying-relay.ts';

export interface RelayOrder {
  /** One way, for all. */
  readonly delayMs: number;
  /** Positions of those that hang. */
  readonly hanging: readonly number[];
}

const relays = await Promise.all(
  process.argv.slice(2).map((port) => DelayingRelay.to(Number(port))),
);

process.on('message', ({ delayMs, hanging }: RelayOrder) => {
  relays.forEach((relay, position) => {
    relay.delayMs = delayMs;
    relay.hangs = hanging.includes(position);
  });
  process.send?.('done');
});
process.on('disconnect', () => process.exit());
process.send?.(relays.map(({ port }) => port));
