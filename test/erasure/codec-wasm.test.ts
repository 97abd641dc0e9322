/** `npm run codec` (this file with -u) assembles the kernel again after a change. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import wabt from 'wabt';

const folder = new URL('../../src/erasure/', import.meta.url);

test('the embedded module is codec.wat, assembled', async () => {
  const { parseWat } = await wabt();
  const source = await readFile(new URL('codec.wat', folder), 'utf8');
  const { buffer } = parseWat('codec.wat', source, { simd: true }).toBinary({});
  const lines =
    Buffer.from(buffer)
      .toString('hex')
      .match(/.{1,90}/g) ?? [];
  await expect(
    [
      '/**',
      ' * @module codec-wasm: codec.wat, assembled by `npm run codec`. Not to be edited.',
      ' */',
      'export const codecWasm =',
      ...lines.map((line, i) => `  '${line}'${i + 1 < lines.length ? ' +' : ';'}`),
      '',
    ].join('\n'),
  ).toMatchFileSnapshot(new URL('codec-wasm.ts', folder).pathname);
});
