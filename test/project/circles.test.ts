/**
 * @module circles: no file imports itself, over however many others, imports of types included.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

const files = ['src', 'machines', 'visualizer/src', 'inspect-v4/src', 'test', 'bench'].flatMap(
  (folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(tsx?|mjs)$/.test(name) && !name.includes('node_modules'))
      .map((name) => join(root, folder, name)),
);

/** What `#crypto` stands for: one on Node, the other elsewhere. */
const seam = ['src/crypto/node.ts', 'src/crypto/portable.ts'].map((file) => join(root, file));

const importsOf = (file: string): readonly string[] =>
  ts
    .preProcessFile(readFileSync(file, 'utf8'), true, true)
    .importedFiles.flatMap(({ fileName }) => {
      if (fileName === '#crypto') return seam;
      return fileName.startsWith('.') ? [resolve(dirname(file), fileName)] : [];
    })
    .filter((path) => /\.(tsx?|mjs)$/.test(path) && existsSync(path));

/** Tarjan's strongly connected components: of more than one file, or of one that imports itself. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const circles: string[][] = [];
  const indices = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): number => {
    const index = indices.size;
    indices.set(file, index);
    stack.push(file);
    let low = index;
    for (const next of graph.get(file) ?? []) {
      if (!indices.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, indices.get(next) as number);
    }
    if (low === index) {
      const circle = stack.splice(stack.indexOf(file));
      if (circle.length > 1 || graph.get(file)?.includes(file)) circles.push(circle);
    }
    return low;
  };
  for (const file of graph.keys()) if (!indices.has(file)) visit(file);
  return circles;
}

test('finds a circle of three, one of one, and none in a tree', () => {
  const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));
  expect(circlesIn(graph({ a: ['b'], b: ['c'], c: ['a', 'd'], d: [] }))).toEqual([['a', 'b', 'c']]);
  expect(circlesIn(graph({ a: ['b'], b: ['b'] }))).toEqual([['b']]);
  expect(circlesIn(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toEqual([]);
});

test('no file is in a circle', () => {
  expect(files.length).toBeGreaterThan(300);
  const circles = circlesIn(new Map(files.map((file) => [file, importsOf(file)])));
  const names = circles.map((circle) => circle.map((file) => file.slice(root.length + 1)).sort());
  expect(names).toEqual([]);
});
