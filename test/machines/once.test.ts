import { expect, test } from 'vitest';
import { oncePer } from '../../machines/once.ts';

test('is decided once while the same record is asked about, and anew for another', () => {
  const asked: number[] = [];
  const decide = oncePer(({ n }: { readonly n: number }) => {
    asked.push(n);
    return n > 1 ? { n } : undefined;
  });
  const [one, two] = [{ n: 1 }, { n: 2 }];
  expect([decide(one), decide(one), decide(two), decide(two)]).toEqual([
    undefined,
    undefined,
    { n: 2 },
    { n: 2 },
  ]);
  expect(decide(one)).toBeUndefined();
  // An equal record is another one.
  decide({ n: 1 });
  expect(asked).toEqual([1, 2, 1, 1]);
});
