/**
 * @module storage-generation: shares whose every byte tells in which generation they are. Plain
 * JavaScript, since a worker process runs it too.
 */

/** An even generation differs from the odd one before it in two places only. */
export function generation(n) {
  const elder = n - (n % 2 === 0 ? 1 : 0);
  const bytes = Buffer.alloc(1000 + ((elder * 7919) % 60_000));
  bytes.forEach((_, i) => {
    bytes[i] = elder * 31 + i;
  });
  if (n !== elder) bytes.fill(n, 400, 700);
  bytes.writeDoubleBE(n);
  return bytes;
}
