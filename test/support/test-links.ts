/**
 * @module test-links: what a page says of tests, held against the tests that there are.
 *
 * A cell of a table names them so: `[client/read.test.ts](../test/client/read.test.ts): “its name”,
 * “another” (a row of its table)`; a scenario is a link alone.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A test, by the path of its file from the root; a scenario has no name. */
export interface TestLink {
  readonly file: string;
  readonly name: string | undefined;
  /** One of the rows of a `test.each`, or several with `, ` between. */
  readonly row: string | undefined;
}

/** The cells of each row of the tables of a page, without those of their heads. */
export function rowsOf(page: string): readonly (readonly string[])[] {
  return readFileSync(join(root, page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(' | '))
    .filter((cells, i, all) => !cells[0]?.startsWith('---') && !all[i + 1]?.[0]?.startsWith('---'));
}

/** The tests that a cell of `page` names. */
export function testLinksIn(cell: string, page: string): readonly TestLink[] {
  const links = cell.matchAll(/\[[^\]]*\]\(([^)]*)\)((?:[:,] “[^”]*”(?: \([^)]*\))?)*)/g);
  return [...links].flatMap(([, path = '', list = '']) => {
    const file = join(page, '..', path);
    const names = [...list.matchAll(/“([^”]*)”(?: \(([^)]*)\))?/g)];
    if (names.length === 0) return [{ file, name: undefined, row: undefined }];
    return names.map(([, name, row]) => ({ file, name, row }));
  });
}

/**
 * What is wrong with a link: it leads to no file, to no test or to several of that name, to no such
 * row, or to a scenario that does not bear `id` in its title.
 */
export function problemOf({ file, name, row }: TestLink, id: string): string | undefined {
  if (!existsSync(join(root, file))) return `${file}: there is no such file`;
  const text = readFileSync(join(root, file), 'utf8');
  if (name === undefined) {
    const [title = ''] = text.split('\n');
    const bearsId = file.endsWith('.txt') && new RegExp(`\\b${id}\\b`).test(title);
    return bearsId ? undefined : `${file}: no scenario of ${id}, and no test is named`;
  }
  const found = testNamesOf(file).filter((full) => full === name || full.endsWith(` › ${name}`));
  if (found.length !== 1) return `${file}: ${found.length} tests are called “${name}”`;
  const has = (one: string) => text.includes(`'${one}'`);
  if (row !== undefined && !has(row) && !row.split(', ').every(has)) {
    return `${file}: no row “${row}”`;
  }
  return undefined;
}

const namesByFile = new Map<string, readonly string[]>();

/** The names of the tests of a file, each behind those of its describes: `group › test`. */
function testNamesOf(file: string): readonly string[] {
  const known = namesByFile.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(join(root, file), 'utf8');
  const names: string[] = [];
  const visit = (node: ts.Node, groups: readonly string[]): void => {
    const named = blockOf(node);
    const path = named === undefined ? groups : [...groups, named.name];
    if (named?.kind === 'test') names.push(path.join(' › '));
    ts.forEachChild(node, (child) => visit(child, path));
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest), []);
  namesByFile.set(file, names);
  return names;
}

/** `test('name', …)`, `describe('name', …)`, and both with `.each(…)` and the like between. */
function blockOf(node: ts.Node): { readonly kind: string; readonly name: string } | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  let called: ts.Node = node.expression;
  while (ts.isCallExpression(called) || ts.isPropertyAccessExpression(called)) {
    called = called.expression;
  }
  const [first] = node.arguments;
  if (!ts.isIdentifier(called) || first === undefined) return undefined;
  const kind = called.text;
  if (kind !== 'test' && kind !== 'describe') return undefined;
  if (ts.isStringLiteralLike(first)) return { kind, name: first.text };
  if (!ts.isTemplateExpression(first)) return undefined;
  // What is filled in is nobody's to name.
  const { head, templateSpans } = first;
  return { kind, name: [head.text, ...templateSpans.map(({ literal }) => literal.text)].join('…') };
}
