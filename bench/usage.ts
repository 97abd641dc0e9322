/**
 * @module usage: the CPU time and the memory of a process. Exact on Linux; elsewhere memory is what
 * Node knows of itself.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** Milliseconds of CPU, the kernel's and all threads' included, that this process has used. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export interface Spent {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** What `work` takes of this process. */
export async function spentBy(work: () => Promise<unknown> | unknown): Promise<Spent> {
  const startedAt = performance.now();
  const before = cpuMs();
  await work();
  return { wallMs: performance.now() - startedAt, cpuMs: cpuMs() - before };
}

export interface Memory {
  /** Bytes that are resident now. */
  readonly now: number;
  /** The most that ever were. */
  readonly peak: number;
}

/** @param pid of a process of this user's; by default this one */
export function memoryOf(pid: number | 'self' = 'self'): Memory {
  try {
    return memoryIn(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (problem) {
    if (pid !== 'self') throw problem;
    return { now: process.memoryUsage.rss(), peak: process.resourceUsage().maxRSS * 1024 };
  }
}

/**
 * As Linux words it. The peak is that of the program; what `getrusage` gives begins with that of
 * the process which started it.
 */
export function memoryIn(status: string): Memory {
  const bytesOf = (key: string) => {
    const kib = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    if (kib === undefined) throw new Error(`no ${key} in the status of a process`);
    return Number(kib) * 1024;
  };
  return { now: bytesOf('VmRSS'), peak: bytesOf('VmHWM') };
}

/** From now on the peak of this process is that of what comes. */
export function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not on Linux: then the peak is one of all there was.
  }
}
