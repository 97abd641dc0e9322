/**
 * @module log: what a grid tells a logger: operations that begin and end, attempts that are made
 * again, servers that fail, shares that are corrupt. It is told the facts that the charts' children
 * report, and nothing depends on it.
 *
 * A file is told by its storage index; what others said (servers, errors) is cleared of all that
 * may be a secret. No cap, key or secret of a lease ever comes here.
 */
import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { BlocksSettled, ServerSettled, WriteSettled } from '../machines/events.ts';
import type { VersionUnconfirmed } from '../machines/read-file.machine.ts';
import type { AttemptCollided } from '../machines/write-file.machine.ts';
import { TahoeMutableError } from './errors.ts';
import type { Facts } from './facts.ts';
import { redacted, withoutSecrets } from './redacted.ts';
import { type Complain, observing, warn } from './runtime/observing.ts';
import type { CallRecorder, GridRecorder, OperationRecorder } from './runtime/recorded.ts';
import { nameOf } from './version-name.ts';

/** What a grid logs with: a pino logger, the console, or anything that has these four. */
export interface Log {
  /** An operation begins. */
  debug(facts: object, message: string): void;
  /** An operation has ended well, or was given up; a server holds what somebody else wrote. */
  info(facts: object, message: string): void;
  /** An operation has failed, or is tried again; a server has failed, or a share is corrupt. */
  warn(facts: object, message: string): void;
  /** A function of the caller's that only looks on has thrown. */
  error(facts: object, message: string): void;
}

type Level = keyof Log;
type Say = (level: Level, facts: object, message: string) => void;

/** Says something to `log`, which never throws then. */
export function sayTo(log: Log): Say {
  return observing(
    'log',
    (level: Level, facts: object, message: string) => log[level](facts, message),
    warn,
  );
}

/** Errors of functions that only look on. The caller made them, and has them as they are. */
export function complainTo(say: Say): Complain {
  return (name, err) =>
    say('error', { callback: name, err }, `${name} has thrown; what it was told of goes on`);
}

/** @param now milliseconds, since whenever */
export function loggedBy(say: Say, now: () => number): GridRecorder {
  const counts = new Map<string, number>();
  return {
    begin: (method, file, within) => {
      const count = (counts.get(method) ?? 0) + 1;
      counts.set(method, count);
      const name = count === 1 ? method : `${method}~${count}`;
      return new LoggedOperation(say, now, { operation: name, file, within: within?.name });
    },
  };
}

/** What every line of an operation says. */
interface About {
  readonly operation: string;
  readonly file: string | null;
  readonly within: string | undefined;
}

/** Storage calls are not logged one by one. */
const unheard: CallRecorder = { delivered: () => {}, lost: () => {}, abandoned: () => {} };

class LoggedOperation implements OperationRecorder {
  readonly #say: Say;
  readonly #now: () => number;
  readonly #beganAt: number;
  #about: About;
  #isOver = false;

  constructor(say: Say, now: () => number, about: About) {
    this.#now = () => timeOf(now);
    this.#say = say;
    this.#about = about;
    this.#beganAt = this.#now();
    this.#tell('debug', {}, 'operation has begun');
  }

  get name(): string {
    return this.#about.operation;
  }

  readonly inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.actor') this.#watch(event.actorRef as AnyActorRef);
    if (event.type === '@xstate.event') this.#reported(event.event as Reported);
  };

  found(file: string): void {
    this.#about = { ...this.#about, file };
  }

  sent(): CallRecorder {
    return unheard;
  }

  /** It was logged when it was found. */
  advised(): void {}

  cancelled(): void {
    if (!this.#isOver) this.#tell('info', {}, 'operation is cancelled');
  }

  succeeded(): void {
    this.#end('info', { outcome: 'succeeded' }, 'operation has succeeded');
  }

  failed(error: unknown): void {
    this.#end('warn', { outcome: 'failed', error: told(error) }, 'operation has failed');
  }

  #end(level: Level, facts: object, message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tell(level, { ...facts, ms: Math.round(this.#now() - this.#beganAt) }, message);
  }

  #tell(level: Level, facts: object, message: string): void {
    const { operation, file, within } = this.#about;
    this.#say(level, { operation, file, ...(within && { within }), ...facts }, message);
  }

  #watch(actor: AnyActorRef): void {
    if (actor.id === 'writeFile') {
      actor.on('attempt.collided', (event) => {
        const { attempt, attemptsMax, waitMs, standoff } = event as AttemptCollided;
        const { rivals = [], silent = [] } = standoff ?? {};
        const reason = standoff === null ? 'another writer' : 'a standoff of versions';
        const facts = { attempt: attempt + 1, attempts: attemptsMax, waitMs, reason };
        this.#tell('warn', { ...facts, rivals: rivals.map(nameOf), silent }, 'trying again');
      });
    }
    if (actor.id === 'readFile') {
      actor.on('version.unconfirmed', (event) => {
        const { seqnum, silent } = event as VersionUnconfirmed;
        this.#tell('warn', { seqnum, silent }, 'what is read may not be the newest');
      });
    }
  }

  /** A child has told its coordinator what came of one server. */
  #reported(event: Reported): void {
    switch (event.type) {
      case 'server.settled': {
        const { server, status, failure, holdings } = event.report;
        if (status === 'failed') this.#serverFailed(server, 'mapping', failure);
        for (const { shnum, verdict } of holdings) {
          if (verdict.kind === 'bad') this.#corrupt(server, shnum, verdict.reason);
        }
        return;
      }
      case 'blocks.settled': {
        const { server, shnum, status, failure } = event.report;
        if (status === 'failed') this.#serverFailed(server, 'reading', failure);
        if (status === 'corrupt') this.#corrupt(server, shnum, failure?.detail ?? '');
        return;
      }
      case 'write.settled': {
        const { server, status, failure } = event.report;
        if (status === 'surprised') {
          this.#tell('info', { server }, 'server holds what somebody else has written');
        } else if (status !== 'accepted') this.#serverFailed(server, 'writing', failure, status);
      }
    }
  }

  #serverFailed(
    server: string,
    during: string,
    failure: ServerSettled['report']['failure'],
    outcome?: string,
  ): void {
    const { kind = 'unknown', detail = '' } = failure ?? {};
    // A caller's own error ends the operation, and is no server's.
    if (kind === 'thrown' || kind === 'cancelled') return;
    const facts = { server, during, failure: kind, detail: withoutSecrets(detail) };
    this.#tell('warn', { ...facts, ...(outcome && { outcome }) }, 'server has failed');
  }

  #corrupt(server: string, shnum: number, reason: string): void {
    this.#tell('warn', { server, shnum, reason: withoutSecrets(reason) }, 'share is corrupt');
  }
}

/** What is reported to a coordinator; it hears of other things, too. */
type Reported = ServerSettled | BlocksSettled | WriteSettled;

/** An error in JSON; that of somebody else may say anything. */
function told(error: unknown): object {
  if (error instanceof TahoeMutableError) {
    const { code, message, facts } = error;
    return { code, message: withoutSecrets(message), facts: cleared(facts) };
  }
  if (!(error instanceof Error)) return { message: withoutSecrets(String(error)) };
  return { code: error.name, message: withoutSecrets(error.message) };
}

/** The same without the caps in it, as where one was given for a name. */
function cleared(facts: Facts): Facts {
  return JSON.parse(JSON.stringify(facts), (_, value: unknown) =>
    typeof value === 'string' ? redacted(value) : value,
  );
}

/** The operation itself fails with what `now` throws. */
function timeOf(now: () => number): number {
  try {
    return now();
  } catch {
    return Number.NaN;
  }
}
