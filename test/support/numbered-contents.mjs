/**
 * @module numbered-contents: contents that tell which number they are of. Plain JavaScript, since a
 * worker process uses it too.
 */

/** With `inPlace`, contents of different numbers differ in their first eight bytes only. */
export function numbered(n, inPlace, size = inPlace ? 150_000 : 20_000 + ((n * 7919) % 60_000)) {
  const salt = inPlace ? 0 : n;
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < bytes.length; i++) bytes[i] = salt * 31 + i + (i >> 8);
  bytes.writeDoubleBE(n);
  return bytes;
}
