/**
 * @module scenario-narrator: records as sentences for people.
 */
import { VersionNames } from './version-names.ts';
import type { TraceRecord } from './world-types.ts';

/** What a scenario calls the charts. */
export const chartWords: Readonly<Record<string, string>> = {
  servermapUpdate: 'map',
  serverQuery: 'map',
  publish: 'publish',
  shareWrite: 'write',
  retrieve: 'retrieve',
  blockRead: 'read',
  writeFile: 'modify',
};

/** Charts of which no more is told than of what they are made of. */
const untold = new Set(['readFile', 'readVersion', 'verifyFile', 'repairFile']);

/** Of an operation: nothing is awaited there that a message or the time would bring. */
const passed = new Set(['opening', 'weighing']);

type Of<Kind extends TraceRecord['kind']> = Extract<TraceRecord, { kind: Kind }>;
type Fields = { readonly [key: string]: unknown };

/** Tells a trace piece by piece. */
export class Narrator {
  readonly #states = new Map<string, string>();
  readonly #versions = new VersionNames();
  /** Of the writes, those that are told: the ones that may be tried again. */
  readonly #modifies = new Set<string>();

  /** @param isBrief only what charts and operations ended with, and what servers hold */
  tell(records: readonly TraceRecord[], isBrief: boolean): readonly string[] {
    const lines: string[] = [];
    const sent = new Map<string, string[]>();
    const moved = new Map<string, [from: string, to: string]>();
    const flush = () => {
      for (const [name, [from, to]] of moved)
        if (from !== to) lines.push(`${name}: ${from} → ${to}`);
      for (const [asked, servers] of sent) lines.push(`${asked}: ${servers.join(' ')}`);
      moved.clear();
      sent.clear();
    };
    for (const record of records) {
      if (record.kind === 'step') {
        this.#move(record, moved);
      } else if (record.kind === 'message' && record.event === 'sent') {
        this.#post(record, sent);
      } else {
        const line = this.#lineOf(record, isBrief);
        if (line === undefined) continue;
        if (isBrief) moved.clear();
        if (isBrief) sent.clear();
        flush();
        lines.push(line);
      }
    }
    if (isBrief) moved.clear();
    if (isBrief) sent.clear();
    flush();
    return lines.map((line) => this.plain(line));
  }

  /** `text` with short names for versions. */
  plain(text: string): string {
    return this.#versions.plain(text);
  }

  #move(step: Of<'step'>, moved: Map<string, [string, string]>): void {
    const { actor, state, chart, context } = step;
    const { change } = context as { change?: { kind: string } };
    if (change?.kind === 'modify') this.#modifies.add(actor);
    if (!this.#isTold(actor, chart) || passed.has(state)) return;
    const from = this.#states.get(actor);
    this.#states.set(actor, state);
    const name = nameOf(actor, chart);
    const start = moved.get(name)?.[0] ?? from;
    if (start === undefined) return;
    moved.set(name, [short(start), short(state)]);
  }

  #isTold(actor: string, chart: string): boolean {
    return chart === 'writeFile' ? this.#modifies.has(actor) : !untold.has(chart);
  }

  #post({ operation, server, what, detail }: Of<'message'>, sent: Map<string, string[]>): void {
    const write = detail as { test: string; version: string } | null;
    const where = write === null ? server : `${server} ${what.replace('write ', '')}`;
    const asked =
      write === null
        ? `${operation} asks for ${what}`
        : `${operation} writes ${write.version} over ${write.test === 'absent' ? 'nothing' : write.test}`;
    sent.set(asked, [...(sent.get(asked) ?? []), where]);
  }

  #lineOf(record: TraceRecord, isBrief: boolean): string | undefined {
    switch (record.kind) {
      case 'header':
        return this.#layoutOf(record);
      case 'place': {
        const { server, shnum, before, after, operation } = record;
        const by = operation === null ? '' : ` (${operation})`;
        return `${server} sh${shnum}: ${before ?? 'nothing'} → ${after ?? 'nothing'}${by}`;
      }
      case 'end':
        return record.status === 'done' ? this.#endOf(record) : undefined;
      case 'operation':
        return operationLine(record);
      case 'message': {
        const { event, operation, server, what } = record;
        if (event === 'delivered' || event === 'arrived') return undefined;
        return isBrief && event === 'abandoned'
          ? undefined
          : `${operation} ${server} ${what}: ${event}`;
      }
      case 'advice':
        return `${record.operation} tells ${record.server} that share ${record.shnum} is corrupt`;
      case 'clock':
        return `time: ${record.now} ms`;
      case 'server':
        return /crash|restart|rollback|partition|mute|join|leave/.test(record.event)
          ? `${record.server}: ${record.event}`
          : undefined;
      default:
        return undefined;
    }
  }

  #layoutOf({ about }: Of<'header'>): string {
    const { servers } = about as unknown as {
      servers: { id: string; shares: Record<string, string> }[];
    };
    return servers
      .map(({ id, shares }) => {
        const held = Object.entries(shares).map(([shnum, version]) => `sh${shnum} ${version}`);
        return `${id} ${held.join(', ') || '-'}`;
      })
      .join(' | ');
  }

  #endOf({ actor, chart, output }: Of<'end'>): string | undefined {
    const about = (output ?? {}) as Fields;
    if (!this.#isTold(actor, chart)) return undefined;
    const name = nameOf(actor, chart);
    switch (chart) {
      case 'servermapUpdate': {
        const servers = about.servers as { id: string; status: string }[];
        const holdings = about.holdings as { server: string; shnum: number; verdict: Fields }[];
        const told = servers.map(({ id, status }) => {
          const held = holdings
            .filter(({ server }) => server === id)
            .map(({ shnum, verdict }) => `sh${shnum} ${verdict.version ?? verdict.kind}`);
          return held.length === 0 ? `${id} ${status}` : `${id} ${held.join(', ')}`;
        });
        return `${name}: done (${about.mode}, ${about.outcome}): ${told.join(' | ')}`;
      }
      case 'publish': {
        const missing = about.missing as number[];
        const lack =
          missing.length === 0 ? '' : `, without ${missing.map((n) => `sh${n}`).join(' ')}`;
        return `${name}: ${about.kind}, version ${about.seqnum}${about.kind === 'published' ? lack : ''}`;
      }
      case 'retrieve':
      case 'writeFile':
        return `${name}: ${about.kind}`;
      default:
        return undefined;
    }
  }
}

function operationLine({ operation, event, result }: Of<'operation'>): string | undefined {
  if (event === 'started') return undefined;
  if (event !== 'ended' || result === null) return `${operation} is ${event}`;
  if (!result.ok) return `${operation} fails: ${result.error}: ${result.message}`;
  const { seqnum, missing, isHealthy } = (result.value ?? {}) as {
    seqnum?: number;
    missing?: unknown[];
    isHealthy?: boolean;
  };
  if (isHealthy !== undefined) return `${operation} ends: ${isHealthy ? 'healthy' : 'not healthy'}`;
  if (missing !== undefined) return `${operation} ends: version ${seqnum} is written`;
  const words = result.seen ? `: ${result.seen.join('+')}` : '';
  return `${operation} ends${words}`;
}

/** `w1 map`, `w1 map s4`, `w1 write s4`, `w1 blocks s4 sh2`. */
function nameOf(actor: string, chart: string): string {
  const [operation] = actor.split('/');
  const [, server, number] = /\/\w+:(\w+)(?::(\d+))?/.exec(actor) ?? [];
  const where = server === undefined ? '' : ` ${server}`;
  // Of a write it counts requests.
  const share = number === undefined || chart === 'shareWrite' ? '' : ` sh${number}`;
  return `${operation} ${chartWords[chart] ?? chart}${where}${share}`;
}

/** The innermost: `awaiting` of `collecting.awaiting`. */
function short(state: string): string {
  return state.slice(state.lastIndexOf('.') + 1);
}
