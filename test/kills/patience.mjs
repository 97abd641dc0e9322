/**
 * @module patience: of a grid that waits for its servers for as long as they take. On a busy machine a
 * disk may be so slow that its server is given up: then it keeps what it had, an older version, and
 * the write is acknowledged all the same. Here every share is to be of the acknowledged version, or
 * of the next. Plain JavaScript, since the worker process uses it too.
 */
export const patient = {
  clock: { setTimeout: () => undefined, clearTimeout: () => undefined },
};
