/**
 * @module log-lines: what a grid tells its log, a line for each, for --verbose: attempts that are
 * made again, servers that fail, shares that are corrupt, operations that end.
 */
import { oneLine } from './plain-text.ts';
import { type Named, serverName } from './servermap-view.ts';

/** @param servers those that have nicknames, when one is to be named */
export function logLines(say: (line: string) => void, servers: () => readonly Named[]) {
  const line = (facts: object, message: string) => {
    const { operation, ...others } = facts as { readonly operation?: string };
    const more = Object.entries(others).flatMap(([name, value]) => {
      const text = factText(name, value, servers());
      return text === '' ? [] : [`${name} ${text}`];
    });
    const who = operation === undefined ? '' : `${operation}: `;
    say(oneLine(`${who}${message}${more.length === 0 ? '' : ` (${more.join(', ')})`}`));
  };
  // That an operation begins is seen when it ends.
  const unsaid = (_facts: object, _message: string) => {};
  return { debug: unsaid, info: line, warn: line, error: line };
}

/** Empty where there is nothing to say. */
function factText(name: string, value: unknown, servers: readonly Named[]): string {
  if (value === undefined || value === null || value === '') return '';
  if (Array.isArray(value)) return value.map((one) => factText(name, one, servers)).join(' ');
  if (value instanceof Error) return value.message;
  if (typeof value === 'object') return JSON.stringify(value);
  return name === 'server' || name === 'silent' ? serverName(servers, String(value)) : `${value}`;
}
