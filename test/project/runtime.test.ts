/**
 * `src/runtime/` is IO: no branch there depends on a map, a report or an outcome. By its imports it
 * has no means to weigh one, and by its text it asks none for its kind; `outcome.ts`, where a report
 * becomes a value or a typed error at the very end, is the exception.
 */
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';

const folder = new URL('../../src/runtime/', import.meta.url);
const files = readdirSync(folder).filter((name) => name !== 'outcome.ts');

function parsed(name: string): ts.SourceFile {
  const text = readFileSync(new URL(name, folder), 'utf8');
  return ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
}

/** The files of `machines/` of which something else than types is imported. */
function machinesUsed(file: ts.SourceFile): readonly string[] {
  return file.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement)) return [];
    const { importClause, moduleSpecifier } = statement;
    const path = (moduleSpecifier as ts.StringLiteral).text;
    if (!path.startsWith('../../machines/') || importClause?.phaseModifier !== undefined) return [];
    const names = importClause?.namedBindings as ts.NamedImports | undefined;
    const isUsed = names?.elements.some(({ isTypeOnly }) => !isTypeOnly) ?? true;
    return isUsed ? [path.slice('../../machines/'.length)] : [];
  });
}

/** What is asked for its `kind`: by the name of what has it. */
function askedForKind(file: ts.SourceFile): readonly string[] {
  const asked: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && node.name.text === 'kind') {
      asked.push(/\w+$/.exec(node.expression.getText())?.[0] ?? '');
    }
    if (ts.isBindingElement(node) && (node.propertyName ?? node.name).getText() === 'kind') {
      asked.push(`{ kind } in ${file.fileName}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return asked;
}

test('imports charts and the vocabulary of their IO, and nothing that decides', () => {
  const used = new Set(files.flatMap((name) => machinesUsed(parsed(name))));
  const deciding = [...used].filter((name) => !name.endsWith('.machine.ts'));
  expect(deciding.sort()).toEqual(['events.ts', 'failure.ts', 'io.ts', 'reason.ts']);
});

test('asks no map, report or outcome for its kind', () => {
  const asked = new Set(files.flatMap((name) => askedForKind(parsed(name))));
  // A cap; what the chart orders (a recipe and its parts, a test); what the IO itself has found.
  expect([...asked].sort()).toEqual(['cap', 'failure', 'part', 'recipe', 'test', 'verdict']);
});
