/**
 * @module public-api: what the declarations of the package say, by TypeScript's own reading.
 */
import ts from 'typescript';
import { root } from './packed.ts';

/** By the name by which they are imported. */
const entries = {
  'tahoe-mutable': 'src/index.d.ts',
  'tahoe-mutable/browser': 'src/browser.d.ts',
  'tahoe-mutable/machines': 'machines/index.d.ts',
  'tahoe-mutable/node': 'src/node.d.ts',
  'tahoe-mutable/testing': 'src/testing.d.ts',
} as const;

export type Entry = keyof typeof entries;
export const entryNames = Object.keys(entries) as Entry[];

const place = `${root}dist/`;
const program = ts.createProgram(
  Object.values(entries).map((file) => place + file),
  {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    types: ['node'],
    strict: true,
    skipLibCheck: true,
  },
);
const checker = program.getTypeChecker();

/** Something that an entry exports. */
interface Exported {
  /** `Grid`; `publishKernel.decide` of a namespace. */
  readonly name: string;
  readonly symbol: ts.Symbol;
  /** Whether only its type is exported, so that nobody outside can construct it. */
  readonly isType: boolean;
}

function exportsOf(file: ts.Symbol, prefix = ''): readonly Exported[] {
  return checker.getExportsOfModule(file).flatMap((given): readonly Exported[] => {
    const symbol = originOf(given);
    const [declaration] = symbol.declarations ?? [];
    if (declaration === undefined) throw new Error(`${given.name} leads nowhere`);
    if (ts.isSourceFile(declaration)) return exportsOf(symbol, `${prefix}${given.name}.`);
    const isType = given.declarations?.some(ts.isTypeOnlyExportDeclaration) ?? false;
    return [{ name: prefix + given.name, symbol, isType }];
  });
}

function originOf(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

const exported = new Map(
  entryNames.map((entry) => {
    const source = program.getSourceFile(place + entries[entry]) as ts.SourceFile;
    return [entry, exportsOf(checker.getSymbolAtLocation(source) as ts.Symbol)];
  }),
);

export function namesIn(entry: Entry): readonly string[] {
  return (exported.get(entry) as readonly Exported[]).map(({ name }) => name);
}

/** `Grid mentions Engine`, of what can be imported neither from this entry nor from the core. */
export function unexportedIn(entry: Entry): readonly string[] {
  const all = exported.get(entry) as readonly Exported[];
  const reachable = new Set(
    [...all, ...(exported.get(withCore(entry)) ?? [])].map(({ symbol }) => symbol),
  );
  const found = all.flatMap((it) =>
    mentionedBy(it)
      .filter((symbol) => isOurs(symbol) && !reachable.has(symbol))
      .map((symbol) => `${it.name} mentions ${symbol.name}`),
  );
  return [...new Set(found)];
}

/** Whoever uses the others has the core; the machines are used by themselves. */
function withCore(entry: Entry): Entry {
  return entry === 'tahoe-mutable/machines' ? entry : 'tahoe-mutable';
}

function isOurs(symbol: ts.Symbol): boolean {
  if (symbol.flags & ts.SymbolFlags.TypeParameter) return false;
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || ts.isSourceFile(declaration)) return false;
  return declaration.getSourceFile().fileName.startsWith(place);
}

/** Every type or value that its signature names. */
function mentionedBy({ symbol, isType }: Exported): readonly ts.Symbol[] {
  const found: ts.Symbol[] = [];
  const visit = (node: ts.Node): void => {
    if (isHidden(node) || (isType && isOfClassItself(node))) return;
    const name = nameIn(node);
    const named = name && checker.getSymbolAtLocation(name);
    if (named !== undefined) found.push(originOf(named));
    ts.forEachChild(node, visit);
  };
  for (const declaration of symbol.declarations ?? []) visit(declaration);
  return found;
}

function nameIn(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isExpressionWithTypeArguments(node)) return node.expression;
  if (ts.isTypeQueryNode(node)) return node.exprName;
  return ts.isImportTypeNode(node) ? node.qualifier : undefined;
}

function isHidden(node: ts.Node): boolean {
  if (!ts.isClassElement(node)) return false;
  const { Private, Protected } = ts.ModifierFlags;
  if (ts.getCombinedModifierFlags(node) & (Private | Protected)) return true;
  return node.name !== undefined && ts.isPrivateIdentifier(node.name);
}

function isOfClassItself(node: ts.Node): boolean {
  if (ts.isConstructorDeclaration(node)) return true;
  return (
    ts.isMethodDeclaration(node) && !!(ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Static)
  );
}

/** `Grid.close`, of every public thing and every member of one that has no comment. */
export function undocumentedIn(entry: Entry): readonly string[] {
  return (exported.get(entry) as readonly Exported[]).flatMap((it) =>
    isOurs(it.symbol) ? undocumented(it) : [],
  );
}

function undocumented({ name, symbol, isType }: Exported): readonly string[] {
  const found = isTold(symbol) ? [] : [name];
  for (const declaration of symbol.declarations ?? []) {
    for (const member of membersOf(declaration)) {
      if (isHidden(member) || isTag(member) || (isType && isOfClassItself(member))) continue;
      const own = checker.getSymbolAtLocation(member.name ?? member);
      if (own !== undefined && !isTold(own)) found.push(`${name}.${own.name}`);
    }
  }
  return found;
}

/** Says by which literal its owner is told from others. */
function isTag(member: ts.ClassElement | ts.TypeElement): boolean {
  return ts.isPropertySignature(member) && member.type?.kind === ts.SyntaxKind.LiteralType;
}

/** Those of a union are told by the union. */
function membersOf(declaration: ts.Declaration): readonly (ts.ClassElement | ts.TypeElement)[] {
  if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) {
    return [...declaration.members];
  }
  if (!ts.isTypeAliasDeclaration(declaration)) return [];
  const found: ts.TypeElement[] = [];
  const visit = (node: ts.TypeNode): void => {
    if (ts.isTypeLiteralNode(node)) found.push(...node.members);
    if (ts.isIntersectionTypeNode(node)) node.types.forEach(visit);
    if (ts.isParenthesizedTypeNode(node)) visit(node.type);
  };
  visit(declaration.type);
  return found;
}

function isTold(symbol: ts.Symbol): boolean {
  return (
    symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags(checker).length > 0
  );
}
