/**
 * @module our-client: how the other processes speak to {@link client-process}.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Memory } from '../usage.ts';
import type { Action, Client, Sample } from './client.ts';
import type { Order, Use } from './client-process.ts';

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly problem?: string;
}

export class OurClient implements Client {
  readonly name = 'tahoe-mutable';
  readonly #process: ChildProcess;
  #asked = 0;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /**
   * @param grid as the script takes it; the client's a `servers.yaml`
   * @param script what answers orders in a process of its own
   */
  static async start(grid: string, script = 'client-process.js'): Promise<OurClient> {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const client = new OurClient(fork(path, [grid], { serialization: 'advanced' }));
    await client.#answer(0);
    return client;
  }

  async perform(action: Action): Promise<Sample> {
    return (await this.#ask({ do: 'perform', action })) as Sample;
  }

  /** Between 0 and 1. */
  async chartsShare(action: Action): Promise<number> {
    return (await this.#ask({ do: 'profile', action })) as number;
  }

  async memory(): Promise<Memory> {
    return (await this.#ask({ do: 'memory' })) as Memory;
  }

  /** Bytes that are resident at the peak beyond those before. */
  async extraPeak(use: Use, size: number, cap?: string): Promise<number> {
    return (await this.#ask({ do: 'use', use, size, ...(cap && { cap }) })) as number;
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }

  async #ask(order: Order): Promise<unknown> {
    const id = ++this.#asked;
    this.#process.send({ id, order });
    return await this.#answer(id);
  }

  /** One at a time. */
  async #answer(id: number): Promise<unknown> {
    const stopped = new AbortController();
    const { signal } = stopped;
    try {
      const ended = once(this.#process, 'exit', { signal }).then(([code]) => {
        throw new Error(`the client ended with ${code}`);
      });
      const heard = once(this.#process, 'message', { signal });
      ended.catch(() => {});
      const [{ id: answered, result, problem }] = (await Promise.race([heard, ended])) as [Answer];
      if (answered !== id || problem !== undefined) throw new Error(problem ?? 'another answer');
      return result;
    } finally {
      stopped.abort();
    }
  }
}
