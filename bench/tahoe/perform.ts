/**
 * @module perform: does an action the number of times that it says, with its bytes at hand, and measures
 * it: the same for every client.
 */
import { primitives } from '#crypto';
import { patchLength } from '../sizes.ts';
import { type Action, type Sample, timesOf } from './client.ts';

/** What a client is able to do. */
export interface Abilities {
  /** @returns the write cap */
  create(format: 'sdmf' | 'mdmf', contents: Uint8Array, pkcs8: Uint8Array): Promise<string>;
  read(cap: string): Promise<unknown>;
  overwrite(cap: string, contents: Uint8Array, again: boolean): Promise<unknown>;
  change(cap: string, offset: number, patch: Uint8Array, again: boolean): Promise<unknown>;
  /** Milliseconds of CPU that its process has used. */
  cpuMs(): Promise<number>;
}

export async function perform(client: Abilities, action: Action): Promise<Sample> {
  const work = prepared(client, action);
  const times = timesOf(action);
  const caps: string[] = [];
  const before = await client.cpuMs();
  const startedAt = performance.now();
  for (let time = 0; time < times; time++) {
    const cap = await work(time);
    if (typeof cap === 'string') caps.push(cap);
  }
  const wallMs = (performance.now() - startedAt) / times;
  return { wallMs, cpuMs: ((await client.cpuMs()) - before) / times, caps };
}

function prepared(client: Abilities, action: Action): (time: number) => Promise<unknown> {
  switch (action.kind) {
    case 'create': {
      const contents = primitives.randomBytes(action.size);
      return (time) => client.create(action.format, contents, action.keys[time] as Uint8Array);
    }
    case 'read':
      return () => client.read(action.cap);
    case 'overwrite': {
      const contents = primitives.randomBytes(action.size);
      return () => client.overwrite(action.cap, contents, action.again === true);
    }
    case 'in place': {
      const patch = primitives.randomBytes(patchLength);
      return () => client.change(action.cap, action.offset, patch, action.again === true);
    }
  }
}
