/**
 * @module note-loaded: preloaded (`node --import`), it notes every ES module that a process loads in
 * the file that $NOTE_LOADED names, one address a line.
 */
import { appendFileSync } from 'node:fs';
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

// The hooks run in a thread of their own, which loads this file again.
if (isMainThread) register(import.meta.url);

export function load(url, context, next) {
  appendFileSync(process.env.NOTE_LOADED, `${url}\n`);
  return next(url, context);
}
