/**
 * @module name-adder: a process that adds names to a directory, each by an edit of its own, started as
 * `node name-adder.mjs <built src> <JSON: folder, cap, name, count>`.
 */
const [built, json] = process.argv.slice(2);
const { openGrid } = await import(`${built}/node.js`);

const { folder, cap, name, count } = JSON.parse(json);
const grid = await openGrid(folder);
const directory = grid.openDirectory(cap);
for (let n = 0; n < count; n++) {
  await directory.add(`${name} ${n}`, 'URI:LIT:aa', { attempts: 200, backoffMs: 20 });
}
grid.close();
