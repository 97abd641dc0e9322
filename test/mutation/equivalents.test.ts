import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mutantOf, readEquivalents } from './equivalents.ts';

describe('the equivalent mutants', () => {
  test.each(readEquivalents())('$file: $from is there, once, and has a reason', (equivalent) => {
    const source = readFileSync(equivalent.file, 'utf8');
    expect(mutantOf(source, equivalent)).not.toBe(source);
    expect(equivalent.reason).toMatch(/^[A-Z].*\.$/);
  });
});
