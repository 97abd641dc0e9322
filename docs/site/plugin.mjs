/**
 * @module plugin: what TypeDoc is told beyond its options.
 *
 * An entry is called as it is imported. A guide is called by its first heading, and stands in a
 * group. The type of a chart is a thousand
 * lines that XState has inferred: its page names the type alone, the pictures are in
 * docs/protocol.md.
 */
import { Converter, ReferenceType, ReflectionKind } from 'typedoc';

const entries = {
  src: 'tahoe-mutable',
  'src/node': 'tahoe-mutable/node',
  'src/testing': 'tahoe-mutable/testing',
  machines: 'tahoe-mutable/machines',
};

const groups = {
  Start: /getting-started|embedding|shell|errors|compatibility|upgrading|examples/,
  'How it works': /protocol|architecture|servermap|retrieve|publish|format|glossary/,
  Evidence: /testing|hazards|tahoe-tests|performance|scenarios/,
  Project: /CHANGELOG|CONTRIBUTING|SECURITY/,
  Guides: /./,
};

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const [group] = Object.entries(groups).find(([, files]) => files.test(document.name));
    document.frontmatter.group = group;
    const heading = /^# (.+)$/m.exec(document.content.map(({ text }) => text).join(''));
    // The heading is the name of the page's file, too.
    document.name = heading[1].replaceAll(/[,:'’]/g, '');
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
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
