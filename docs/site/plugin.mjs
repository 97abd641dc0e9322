/**
 * @module plugin: what TypeDoc is told beyond its options.
 *
 * A guide is called by its first heading. The type of a chart is a thousand lines that XState has
 * inferred: its page names the type, and the chart itself is a picture of docs/protocol.md.
 */
import { Converter, ReferenceType, ReflectionKind } from 'typedoc';

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const [first] = document.content;
    document.name = /^# (.+)$/m.exec(first.text)?.[1] ?? document.name;
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const machine = ReferenceType.createBrokenReference('AnyStateMachine', project, 'xstate');
    const charts = project.getReflectionsByKind(ReflectionKind.Variable);
    for (const chart of charts) if (/Machine$/.test(chart.name)) chart.type = machine;
    const makers = project.getReflectionsByKind(ReflectionKind.CallSignature);
    for (const maker of makers) if (/^updateMachineFor$/.test(maker.name)) maker.type = machine;
  });
}
