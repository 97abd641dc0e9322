/**
 * @module plugin: what TypeDoc is told beyond its options.
 *
 * An entry is called as it is imported. A guide is called by its first heading, and stands in a
 * group, in this order. The type of a chart is a thousand lines that XState has inferred: its page
 * names the type alone, the pictures are in docs/protocol.md.
 */
import { Converter, ReferenceType, ReflectionKind } from 'typedoc';

const entries = {
  src: 'tahoe-mutable',
  'src/browser': 'tahoe-mutable/browser',
  'src/node': 'tahoe-mutable/node',
  'src/testing': 'tahoe-mutable/testing',
  machines: 'tahoe-mutable/machines',
};

const groups = {
  Start: /getting-started|embedding|shell|json|errors|compatibility|upgrading|examples/,
  Guides:
    /contents|progress|directories|immutable|repair|leases|walks|storage-http|browser|visualizer/,
  'How it works': /protocol|architecture|servermap-update|retrieve|publish|format|glossary/,
  Evidence: /testing|hazards|tahoe-tests|performance|scenarios/,
  Project: /CHANGELOG|CONTRIBUTING|dependencies|SECURITY/,
};
const names = Object.values(groups).flatMap((group) => group.source.split('|'));

/** What nobody has put anywhere is a guide, behind the others. */
function placeOf(file) {
  const [group = 'Guides'] = Object.keys(groups).filter((group) => groups[group].test(file));
  const rank = names.findIndex((name) => file.includes(name));
  return { group, rank: rank < 0 ? names.length : rank };
}

export function load(app) {
  const ranks = new Map();
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const { group, rank } = placeOf(document.name);
    ranks.set(document, rank);
    document.frontmatter.group = group;
    const heading = /^# (.+)$/m.exec(document.content.map(({ text }) => text).join(''));
    document.name = heading[1];
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const byRank = (a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0);
    project.documents.sort(byRank);
    project.childrenIncludingDocuments.sort(byRank);

    const machine = ReferenceType.createBrokenReference('AnyStateMachine', project, 'xstate');
    const { Module, Namespace, Variable, CallSignature } = ReflectionKind;
    for (const entry of project.getReflectionsByKind(Module | Namespace)) {
      // `@module verify-kernel: what it is` names one, here and there.
      const [name] = entry.name.split(':');
      entry.name = entries[name] ?? name.replaceAll(/-(.)/g, (_, letter) => letter.toUpperCase());
    }
    for (const made of project.getReflectionsByKind(Variable | CallSignature)) {
      if (/Machine$|^updateMachineFor$/.test(made.name)) made.type = machine;
    }
  });
}
