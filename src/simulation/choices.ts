/**
 * @module choices: what can happen next in a world, in a stable order.
 */
import { rotFields } from './disk.ts';
import type { FaultKind } from './faults.ts';
import type { Message } from './network.ts';
import type { Choice, OperationView, SimulatedServer } from './world-types.ts';

/** What the choices depend on. */
export interface WorldState {
  readonly operations: readonly Pick<OperationView, 'spec' | 'status'>[];
  readonly servers: readonly SimulatedServer[];
  readonly messages: readonly Message[];
  /** `w1 s4`: these two do not reach each other. */
  readonly cuts: ReadonlySet<string>;
  readonly hasTimers: boolean;
}

/** What can happen without a fault. */
export function plainChoices(state: WorldState): readonly Choice[] {
  const starts = state.operations
    .filter(({ status }) => status === 'waiting')
    .map(({ spec: { name } }) => ofOperation('start', name));
  const deliveries = state.messages
    .filter((message) => canArrive(state, message))
    .map((message) => ofMessage('deliver', message));
  const advance: Choice[] = state.hasTimers ? [{ kind: 'advance', label: 'advance' }] : [];
  return [...starts, ...deliveries, ...advance];
}

export function faultChoices(kind: FaultKind, state: WorldState): readonly Choice[] {
  return lists[kind](state, kind);
}

type List = (state: WorldState, kind: FaultKind) => readonly Choice[];

const messagesWhere =
  (isFit: (message: Message, state: WorldState) => boolean): List =>
  (state, kind) =>
    state.messages.filter((m) => isFit(m, state)).map((m) => ofMessage(kind, m));

/** Requests that can arrive now; `call` narrows them down. */
const requests = (call?: Message['call']) =>
  messagesWhere(
    (m, state) =>
      m.phase === 'request' && (call === undefined || m.call === call) && canArrive(state, m),
  );

const messagesOf = (call: Message['call']) =>
  messagesWhere((m, state) => m.call === call && canArrive(state, m));

const serversWhere =
  (isFit: (server: SimulatedServer, state: WorldState) => boolean): List =>
  (state, kind) =>
    state.servers
      .filter((server) => isFit(server, state))
      .map(({ id: server }) => ({ kind, label: `${kind} ${server}`, server }));

const sharesWhere =
  (isFit: (server: SimulatedServer, shnum: number) => boolean): List =>
  ({ servers }, kind) =>
    servers.flatMap((server) =>
      [...server.shares.keys()]
        .filter((shnum) => isFit(server, shnum))
        .map((shnum) => {
          const { id } = server;
          return { kind, label: `${kind} ${id} sh${shnum}`, server: id, shnum };
        }),
    );

const everyShare = sharesWhere(() => true);

/** To a server that does not hold the share number. */
const shareTo: List = (state, kind) =>
  everyShare(state, kind).flatMap((choice) =>
    state.servers
      .filter(({ shares }) => !shares.has(choice.shnum as number))
      .map(({ id: to }) => ({ ...choice, to, label: `${choice.label} ${to}` })),
  );

const shareFields: List = (state, kind) =>
  everyShare(state, kind).flatMap((choice) =>
    rotFields.map((field) => ({ ...choice, field, label: `${choice.label} ${field}` })),
  );

const runningOperations: List = ({ operations }, kind) =>
  operations
    .filter(({ status }) => status === 'running')
    .map(({ spec: { name } }) => ofOperation(kind, name));

const pairs: List = (state, kind) =>
  runningOperations(state, kind).flatMap(({ operation = '' }) =>
    state.servers.map(({ id: server }) => {
      const verb = state.cuts.has(`${operation} ${server}`) ? 'mend' : 'cut';
      return { kind, label: `${verb} ${operation} ${server}`, operation, server };
    }),
  );

const always: List = (_, kind) => [{ kind, label: kind }];

const lists: Readonly<Record<FaultKind, List>> = {
  arrive: requests(),
  drop: messagesWhere(() => true),
  reset: messagesWhere(() => true),
  duplicate: messagesWhere((m) => m.phase === 'request' && !m.label.includes('#')),
  delay: messagesWhere((m, { hasTimers }) => !m.isDelayed && hasTimers),
  garble: messagesOf('read'),
  hide: messagesOf('list'),
  invent: messagesOf('list'),
  partition: serversWhere((s) => s.isUp && !s.isPartitioned),
  mute: serversWhere((s) => s.isUp && !s.isMute && !s.isPartitioned),
  cut: pairs,
  fail: requests(),
  tear: messagesWhere((m, state) => m.phase === 'request' && m.canTear && canArrive(state, m)),
  deny: requests('write'),
  belie: requests('write'),
  feign: requests('write'),
  crash: serversWhere((s) => s.isUp),
  restart: serversWhere((s) => !s.isUp || s.isPartitioned || s.isMute),
  rollback: serversWhere((s) => !s.isUp && s.history.length > 0),
  join: serversWhere((s) => !s.isKnown),
  leave: serversWhere((s, { servers }) => s.isKnown && servers.filter(isKnown).length > 1),
  rot: shareFields,
  truncate: everyShare,
  delete: everyShare,
  stale: sharesWhere((s, shnum) => s.history.some((change) => change.shnum === shnum)),
  newer: everyShare,
  alien: everyShare,
  copy: shareTo,
  move: shareTo,
  kill: runningOperations,
  cancel: runningOperations,
  jump: always,
  heal: always,
};

function isKnown(server: SimulatedServer): boolean {
  return server.isKnown;
}

function ofOperation(kind: Choice['kind'], operation: string): Choice {
  return { kind, label: `${kind} ${operation}`, operation };
}

function ofMessage(kind: Choice['kind'], { id, label, operation, server }: Message): Choice {
  return { kind, label: `${kind} ${label}`, operation, server, message: id };
}

/** Whether the message, as far as it has come, can go on now. */
export function canArrive({ servers, cuts }: WorldState, message: Message): boolean {
  const server = servers.find(({ id }) => id === message.server);
  if (server === undefined || message.isDelayed || server.isPartitioned) return false;
  if (cuts.has(`${message.operation} ${message.server}`)) return false;
  return !(server.isMute && message.phase === 'answer');
}
