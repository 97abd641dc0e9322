/**
 * @module reason: why something failed, in words, whatever was thrown.
 *
 * Every text that is made of an error comes from here. An error may say nothing itself: what an
 * AggregateError has gathered says it, or its cause, its code, at last its name. A cause is only
 * asked when there is nothing else: it may quote what its error took care not to.
 */

/** How many errors in one another are looked into: they may go round in a circle. */
const depthMax = 4;
/** Of the errors that one has gathered: a host may have many addresses. */
const gatheredMax = 4;

/** Never blank, and never throws. */
export function reasonOf(problem: unknown): string {
  if (problem === undefined || problem === null) return String(problem);
  return said(problem, depthMax) ?? 'no reason given';
}

function said(problem: unknown, depth: number): string | undefined {
  if (typeof problem === 'string') return notBlank(problem);
  if (typeof problem === 'number' || typeof problem === 'boolean') return String(problem);
  if (typeof problem !== 'object' || problem === null || depth === 0) return undefined;
  try {
    const { message, errors, cause, code, name } = problem as Record<string, unknown>;
    return (
      notBlank(message) ??
      saidByAll(errors, depth - 1) ??
      said(cause, depth - 1) ??
      notBlank(code) ??
      notBlank(name)
    );
  } catch {
    // A getter that throws: whoever made that does not want to be asked.
    return undefined;
  }
}

function saidByAll(errors: unknown, depth: number): string | undefined {
  if (!Array.isArray(errors)) return undefined;
  const all = errors.slice(0, gatheredMax).map((error) => said(error, depth));
  return notBlank([...new Set(all)].filter((reason) => reason !== undefined).join('; '));
}

function notBlank(text: unknown): string | undefined {
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : undefined;
}
