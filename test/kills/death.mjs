/**
 * @module death: a process that is killed at a change of the disk that was chosen before.
 *
 * It counts its changes, and at the wanted one sends itself SIGKILL: before the system call, while
 * a thread is in it, or when it is done. So no kill misses the write, however fast the machine is.
 * To be loaded before what imports `node:fs/promises`.
 */
import fs, { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** Of which kind the changes are that count for a point. */
const KINDS = { change: () => true, rename: (name) => name === 'rename' };

/**
 * @param point `{ of: 'change' | 'rename', at, when: 'before' | 'during' | 'after' }`, from 1; null:
 *   it lives
 * @returns how many changes there were of each kind, growing
 */
export async function dieAt(point) {
  const counts = { change: 0, rename: 0 };
  const watch = (holder, name) => {
    const real = holder[name];
    holder[name] = function watched(...args) {
      const kinds = Object.keys(KINDS).filter((kind) => KINDS[kind](name));
      for (const kind of kinds) counts[kind] += 1;
      const isLast = kinds.includes(point?.of) && counts[point.of] === point.at;
      if (isLast && point.when === 'before') die();
      const result = real.apply(this, args);
      if (isLast && point.when === 'during') die();
      return isLast ? result.finally(die) : result;
    };
  };
  for (const name of ['rename', 'copyFile', 'mkdir', 'rm']) watch(fs, name);
  syncBuiltinESMExports();
  const file = await open(process.execPath);
  const handles = Object.getPrototypeOf(file);
  await file.close();
  for (const name of ['write', 'truncate', 'sync', 'chmod', 'chown']) watch(handles, name);
  return counts;
}

function die() {
  process.kill(process.pid, 'SIGKILL');
}
