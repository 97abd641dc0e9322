/**
 * @module connection-store: how the page stands to the process that it watches, as signals. What
 * watches is loaded only when something is watched.
 */
import { signal } from '@preact/signals';
import { type Connection, type Missing, nothingMissing } from './model/connection.ts';

/** Null: nothing live is watched. */
export const connection = signal<Connection | null>(null);
export const missing = signal<Missing>(nothingMissing);
/** Looks for the process again, after it was given up. */
export const lookAgain = signal(() => {});
