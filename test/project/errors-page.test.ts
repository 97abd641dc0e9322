/**
 * @module errors-page: docs/errors.md tells of every error there is, and of no other.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as errors from '../../src/errors.ts';
import { root } from '../support/root.ts';

const { TahoeMutableError } = errors;
const codes = Object.values(errors)
  .filter((it) => typeof it === 'function' && it.prototype instanceof TahoeMutableError)
  // Those without are what others are made of.
  .flatMap((it) => (it as typeof TahoeMutableError).code ?? []);
const page = readFileSync(`${root}/docs/errors.md`, 'utf8');
const entries = page.split(/^### /m).slice(1);

test('every error has an entry on the page, and every entry is an error', () => {
  expect(entries.map((entry) => entry.split('\n')[0]).sort()).toEqual([...codes].sort());
});

test('every entry says what it means, and what to do', () => {
  const saying = /^\w+Error\n[A-Z].+?\*\*Do:\*\* [a-z`[].+\.\n/s;
  expect(entries.filter((entry) => !saying.test(entry))).toEqual([]);
});

test('an error that the page speaks of exists', () => {
  const named = page.match(/\b[A-Z]\w+Error\b/g) ?? [];
  expect(named.filter((name) => !(name in errors))).toEqual([]);
});
