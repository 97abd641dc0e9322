/**
 * @module walker-port: a walker in another worker. A search with two of them uses two cores.
 */
import type { Stop } from '../model/order-graph.ts';
import type { Search } from './protocol.ts';
import { LocalWalker, type Walker } from './walker.ts';

type Asked =
  | { readonly search: Search; readonly labels: readonly string[] }
  | { readonly step: string };

type Answered = { readonly stops: readonly Stop[] } | { readonly problem: string };

/** Walks for whoever is at the other end. */
export function lendWalker(port: MessagePort): void {
  const walker = new LocalWalker();
  const answer = async (asked: Asked): Promise<readonly Stop[]> =>
    'step' in asked ? [await walker.step(asked.step)] : walker.walk(asked.search, asked.labels);
  port.onmessage = ({ data }: MessageEvent<Asked>) => {
    answer(data).then(
      (stops) => port.postMessage({ stops } satisfies Answered),
      (error) => port.postMessage({ problem: String(error) } satisfies Answered),
    );
  };
}

/** The other end of {@link lendWalker}; one question at a time. */
export class PortWalker implements Walker {
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  walk(search: Search, labels: readonly string[]): Promise<readonly Stop[]> {
    return this.#ask({ search, labels });
  }

  async step(step: string): Promise<Stop> {
    const [stop] = await this.#ask({ step });
    return stop as Stop;
  }

  #ask(asked: Asked): Promise<readonly Stop[]> {
    return new Promise((resolve, reject) => {
      this.#port.onmessage = ({ data }: MessageEvent<Answered>) => {
        if ('stops' in data) resolve(data.stops);
        else reject(new Error(data.problem));
      };
      this.#port.postMessage(asked);
    });
  }
}
