/**
 * @module throwing-callbacks: a program of which every callback throws, or rejects, and which has
 * nothing that would keep it alive then. Started as `node throwing-callbacks.mjs <built src> <key>`.
 */
const [built, pkcs8] = process.argv.slice(2);
const { Grid, MemoryServer } = await import(`${built}/index.js`);
const { primitives } = await import(`${built}/crypto/node.js`);

const key = await primitives.importSigningKey(Uint8Array.from(Buffer.from(pkcs8, 'base64')));
const servers = Array.from({ length: 4 }, (_, i) => new MemoryServer({ id: `s${i}` }));
const about = { servers, encoding: { required: 2, happy: 3, total: 4 } };
const mine = new Error('mine');
const ways = {
  throws: () => {
    throw mine;
  },
  rejects: () => Promise.reject(mine),
};
const { writeCap } = await new Grid(about).create({ key, contents: Uint8Array.of(0) });
const said = {};
process.on('warning', ({ name, cause }) => {
  if (name === 'TahoeMutableWarning' && cause === mine) said.warnings = (said.warnings ?? 0) + 1;
});
/** What becomes of a call. */
const endOf = (call) =>
  call.then(
    () => 'goes on',
    (error) => (error === mine ? 'rejects with it' : `${error}`),
  );
const byteSource = (read) => ({ size: 1, read });
for (const [way, fail] of Object.entries(ways)) {
  const open = (options) => new Grid({ ...about, ...options }).open(writeCap);
  const failing = { debug: fail, info: fail, warn: fail, error: fail };
  const bytes = Uint8Array.of(1);
  const abort = new AbortController();
  const cancelled = endOf(open().read({ signal: abort.signal }));
  abort.abort(mine);
  Object.assign(said, {
    [`onProgress ${way}`]: await endOf(open().overwrite(bytes, { onProgress: fail })),
    [`inspect ${way}`]: await endOf(open({ inspect: fail }).overwrite(bytes)),
    [`observer ${way}`]: await endOf(open({ inspect: { next: fail } }).overwrite(bytes)),
    [`log ${way}`]: await endOf(open({ log: failing }).overwrite(bytes)),
    [`modifier ${way}`]: await endOf(open().modify(fail)),
    [`source ${way}`]: await endOf(open().overwrite(byteSource(fail))),
    [`signal ${way}`]: await cancelled,
  });
}
const clock = { setTimeout: ways.throws, clearTimeout: () => {} };
const open = (options) => new Grid({ ...about, ...options }).open(writeCap);
Object.assign(said, {
  clock: await endOf(open({ clock }).read()),
  now: await endOf(open({ now: ways.throws }).read()),
});
// Of these the value is wanted at once; what they reject with must not end the process either.
for (const name of ['now', 'random', 'date']) {
  const file = open({ [name]: ways.rejects });
  const { code } = await file.modify(() => Uint8Array.of(2)).catch((error) => error);
  said[`${name} rejects`] = code ?? 'goes on';
}
const rejecting = { setTimeout: ways.rejects, clearTimeout: () => {} };
said['clock rejects'] = await endOf(open({ clock: rejecting }).read());
// Whatever came late has come.
await new Promise((resolve) => setTimeout(resolve, 0));
console.log(JSON.stringify(said));
