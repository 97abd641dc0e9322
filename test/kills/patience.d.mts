import type { Clock } from '../../src/runtime/run.ts';

export const patient: { readonly clock: Clock };
