import { expect, test } from 'vitest';
import * as complaint from '../../src/cli/complaint.ts';
import * as errors from '../../src/errors.ts';

type ErrorClass = new () => errors.TahoeMutableError;

const { TypedError: _, ...thrown } = errors;
const classes = Object.entries({ ...thrown, ...complaint }).filter(
  ([, it]) => typeof it === 'function' && it.prototype instanceof errors.TahoeMutableError,
) as unknown as readonly (readonly [string, ErrorClass])[];

test('there are errors to look at', () => expect(classes.length).toBeGreaterThan(20));

test.each(classes)('%s is called so, however a bundler renames its class', (name, Class) => {
  class a extends Class {}
  const error = new a();
  expect({ code: error.code, name: error.name, shown: String(error).split(':')[0] }).toEqual({
    code: name,
    name,
    shown: name,
  });
});
