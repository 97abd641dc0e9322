/**
 * @module runtime: `src/runtime/` is IO: no branch there depends on a map, a report or an outcome.
 * By its imports it has no means to weigh one, and by its text it asks none for its kind, nor for
 * a field that tells one from another; `outcome.ts`, where a report becomes a value or a typed
 * error at the very end, is the exception.
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

/** What tells a map, a report or an outcome from another, beside its `kind`. */
const tellingFields = new Set(
  (
    'attempts end good bad holdings missing newer newest obstacle outcome placed privateKey ' +
    'published quorum report seqnum servers sources stale status surprises versions writes'
  ).split(' '),
);

/** The expressions on whose value it depends what comes next. */
function conditionOf(node: ts.Node): ts.Node | undefined {
  if (ts.isIfStatement(node) || ts.isSwitchStatement(node)) return node.expression;
  if (ts.isWhileStatement(node) || ts.isDoStatement(node)) return node.expression;
  if (ts.isForStatement(node) || ts.isConditionalExpression(node)) return node.condition;
  if (!ts.isBinaryExpression(node)) return undefined;
  const { AmpersandAmpersandToken, BarBarToken, QuestionQuestionToken } = ts.SyntaxKind;
  const branching = [AmpersandAmpersandToken, BarBarToken, QuestionQuestionToken];
  return branching.some((kind) => kind === node.operatorToken.kind) ? node.left : undefined;
}

/** Those fields that a branch depends on. */
function fieldsWeighed(file: ts.SourceFile): readonly string[] {
  const weighed: string[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && tellingFields.has(node.text)) {
      weighed.push(`${file.fileName}: ${node.text}`);
    }
    ts.forEachChild(node, look);
  };
  const visit = (node: ts.Node): void => {
    const condition = conditionOf(node);
    if (condition !== undefined) look(condition);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return weighed;
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

test('weighs no field of a map, a report or an outcome', () => {
  const lines = 'if (map.outcome === "enough") go(); const n = report?.writes.length || 0;';
  const sample = ts.createSourceFile('x.ts', lines, ts.ScriptTarget.Latest, true);
  expect(fieldsWeighed(sample)).toEqual(['x.ts: outcome', 'x.ts: report', 'x.ts: writes']);
  const weighed = [...new Set(files.flatMap((name) => fieldsWeighed(parsed(name))))].sort();
  expect(weighed).toEqual([
    // What the chart asks of the IO: whether to look for the private key.
    'map-servers.ts: privateKey',
    // What the grid's memory of a file keeps between operations.
    'operations.ts: newest',
    // What the caller is told of the way, and decides nothing.
    'progress.ts: status',
    // Whether an actor is still at work.
    'run-chart.ts: status',
    'session.ts: newest',
    'session.ts: seqnum',
    'trace.ts: status',
    'write-operations.ts: newest',
  ]);
});
