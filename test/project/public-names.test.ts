/**
 * @module public-names: what the package exports has one meaning per name, and the name that it has
 * in the code. Kernels are namespaces of their own: each has its `apply` and `decide`.
 */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const entries = [
  'src/index.ts',
  'src/browser.ts',
  'src/node.ts',
  'src/testing.ts',
  'machines/index.ts',
];

interface Exported {
  readonly name: string;
  /** The file in which it is declared, and its name there. */
  readonly declared: string;
}

function exportsOf(program: ts.Program, entry: string): readonly Exported[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(root + entry) as ts.SourceFile;
  const file = checker.getSymbolAtLocation(source) as ts.Symbol;
  return checker.getExportsOfModule(file).flatMap((symbol) => {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    const [declaration] = target.declarations ?? [];
    if (declaration === undefined) throw new Error(`${entry}: ${symbol.name} leads nowhere`);
    if (ts.isSourceFile(declaration)) return [];
    const where = declaration.getSourceFile().fileName.slice(root.length);
    return [{ name: symbol.name, declared: `${where} ${target.name}` }];
  });
}

/** The public members of a class or an interface. */
function membersOf(path: string, name: string): readonly string[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(root + path) as ts.SourceFile;
  const file = checker.getSymbolAtLocation(source) as ts.Symbol;
  const found = checker.getExportsOfModule(file).find((symbol) => symbol.name === name);
  const isPublic = ({ declarations: [declaration] = [] }: ts.Symbol) => {
    const member = declaration as ts.ClassElement | ts.TypeElement;
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
    if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return false;
    return (ts.getCombinedModifierFlags(member) & hidden) === 0;
  };
  const members = checker.getDeclaredTypeOfSymbol(found as ts.Symbol).getProperties();
  return members.filter(isPublic).map((member) => member.name);
}

const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config as object;
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const program = ts.createProgram(
  entries.map((entry) => root + entry),
  options,
);
const exported = entries.flatMap((entry) => exportsOf(program, entry));

test('a public name is of one thing, whichever part of the package exports it', () => {
  const meanings = new Map<string, Set<string>>();
  for (const { name, declared } of exported) {
    meanings.set(name, (meanings.get(name) ?? new Set()).add(declared));
  }
  expect(exported.length).toBeGreaterThan(200);
  const ambiguous = [...meanings].filter(([, declared]) => declared.size > 1);
  expect(ambiguous.map(([name, declared]) => [name, ...declared])).toEqual([]);
});

test('nothing is published under another name than its own', () => {
  const renamed = exported.filter(({ name, declared }) => !declared.endsWith(` ${name}`));
  expect(renamed).toEqual([]);
});

test('a server in memory shows no more than any server: its disk is for tests alone', () => {
  const known = membersOf('src/storage/server.ts', 'StorageServer');
  const shown = membersOf('src/storage/memory.ts', 'MemoryServer');
  expect(shown).toContain('readTestWrite');
  expect(shown.filter((name) => !known.includes(name))).toEqual([]);
  const inner = exported.filter(({ name }) => ['MemoryDisk', 'diskOf'].includes(name));
  expect(inner).toEqual([]);
});
