/**
 * @module waves: far servers whose answers come in waves: all that was asked for while nobody had
 * an answer is answered at once. The number of waves is how many round trips one waits for.
 */
import type { CreateOptions, GridOptions } from '../../src/grid-options.ts';
import type { MemoryServer } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { altered, atRest, testGrid, testKey } from './client-grid.ts';

export class Waves {
  #waiting: (() => void)[] = [];
  #count = 0;
  /** Calls since the last count, as `s0 list`. */
  #calls: string[] = [];

  /** `server`, across a network. */
  readonly far = (server: MemoryServer): StorageServer => {
    const answer = async <T>(call: string, answered: () => Promise<T>): Promise<T> => {
      this.#calls.push(`${server.id} ${call}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return answered();
    };
    return altered(server, {
      isFar: true,
      listShares: (...args) => answer('list', () => server.listShares(...args)),
      readShare: (...args) => answer(`read ${args[1]}`, () => server.readShare(...args)),
      readTestWrite: (...args) => {
        const what = args[1].shares.size === 0 ? 'read all' : 'write';
        return answer(what, () => server.readTestWrite(...args));
      },
    });
  };

  /** What `work` comes to, in how many waves, and what it asked for. */
  async of<T>(work: () => Promise<T>) {
    this.#count = 0;
    this.#calls = [];
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    const working = work();
    working.then(over, over);
    for (;;) {
      await atRest();
      if (isOver) break;
      if (this.#waiting.length === 0) continue;
      this.#count++;
      for (const answer of this.#waiting.splice(0)) answer();
    }
    return { result: await working, waves: this.#count, calls: this.#calls };
  }
}

/** A file that was just made, with {@link testKey}, on far servers. */
export async function farFile(made: CreateOptions, options: Partial<GridOptions> = {}) {
  const waves = new Waves();
  const { grid, another, servers } = testGrid({ wrap: waves.far, ...options });
  const { result: file } = await waves.of(() => grid.create({ ...made, key: testKey }));
  return { waves, grid, another, servers, file };
}
