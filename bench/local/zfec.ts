/**
 * @module zfec: the erasure code of Tahoe, in a process of its own (`time_zfec.py`): that of Debian if it is
 * installed, else that of the environment which `npm run bench:tahoe` has made.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../root.ts';

export interface Zfec {
  /** Whose it is. */
  readonly name: string;
  /** Megabytes of text per second of CPU. */
  speed(kind: 'encode' | 'decode', code: Code, length: number, seconds: number): Promise<number>;
  close(): void;
}

/** k of N. */
export interface Code {
  readonly required: number;
  readonly total: number;
}

const places = [
  { name: "Debian's zfec", python: '/usr/bin/python3' },
  { name: 'the zfec of .venv', python: join(projectRoot, '.venv/tahoe/bin/python') },
];

/** @returns undefined where there is none */
export function startZfec(): Zfec | undefined {
  const place = places.find(
    ({ python }) => spawnSync(python, ['-c', 'import zfec'], { stdio: 'ignore' }).status === 0,
  );
  if (place === undefined) return undefined;
  const script = join(projectRoot, 'bench/local/time_zfec.py');
  const child = spawn(place.python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name: place.name,
    speed: async (kind, { required, total }, length, seconds) => {
      child.stdin.write(`${kind} ${required} ${total} ${length} ${seconds}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error('time_zfec.py has ended');
      return Number(value);
    },
    close: () => end(child),
  };
}

function end(child: ChildProcess): void {
  child.stdin?.end();
}
