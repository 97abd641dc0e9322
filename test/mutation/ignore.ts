/**
 * @module ignore: what in a chart is no behaviour, and so is not mutated: texts for people
 * (`description`; that each state has one is `tidy.test.ts`) and the `types` of `setup`, which
 * XState never looks at. A plugin of Stryker.
 */

/** A Babel path, as far as it is looked at. */
interface Path {
  readonly node: { readonly type: string; readonly key?: { readonly name?: string } };
}

const ignored: Readonly<Record<string, string>> = {
  description: 'a text for people',
  types: 'a type',
};

function shouldIgnore({ node: { type, key } }: Path): string | undefined {
  return type === 'ObjectProperty' ? ignored[key?.name ?? ''] : undefined;
}

export const strykerPlugins = [{ kind: 'Ignore', name: 'texts', value: { shouldIgnore } }];
