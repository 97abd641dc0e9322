/**
 * @module renew-leases: renews this client's leases on a file, on every server at once.
 *
 * Nothing is decided here, so there is no chart: each server is asked once and by itself, whoever
 * does not answer in time is given up, and what came of it is told.
 */
import { type Failure, internalFailure } from '../../machines/failure.ts';
import type { ServerId } from '../../machines/servermap.ts';
import { followerOf } from '../abort.ts';
import { deriveLeaseSecrets } from '../crypto/leases.ts';
import { GridClosedError } from '../errors.ts';
import { permutedServers } from '../permute.ts';
import type { StorageServer } from '../storage/server.ts';
import { toFailure } from './failure.ts';
import { guarded } from './guarded.ts';
import type { OperationOptions } from './options.ts';
import { Pace } from './pace.ts';
import { type Engine, withDeadline } from './run.ts';
import { watchedServers } from './watched-server.ts';

/** Where a file is kept for another 31 days; servers in permuted order. */
export interface LeaseOutcome {
  /** They hold shares of it, each of which has this client's lease now. */
  readonly renewed: readonly ServerId[];
  /** They hold none. */
  readonly absent: readonly ServerId[];
  /** Whether these hold any is not known. */
  readonly failures: readonly LeaseFailure[];
}

/** A server that could not be asked to renew leases. */
export interface LeaseFailure {
  /** Its id. */
  readonly server: ServerId;
  /** Why. */
  readonly failure: Failure;
}

/** What the grid has for that. */
export interface LeaseSetting {
  readonly engine: Engine;
  readonly servers: readonly StorageServer[];
  /** 32 bytes. */
  readonly leaseSecret: Uint8Array;
}

/** @throws signal.reason when the caller aborts, GridClosedError */
export async function renewLeases(
  setting: LeaseSetting,
  storageIndex: Uint8Array,
  given: OperationOptions,
): Promise<LeaseOutcome> {
  return guarded(setting.engine, given, (engine, options) =>
    renewed({ ...setting, engine }, storageIndex, options),
  );
}

async function renewed(
  { engine, servers: all, leaseSecret }: LeaseSetting,
  storageIndex: Uint8Array,
  options: OperationOptions,
): Promise<LeaseOutcome> {
  const servers = watchedServers(all, engine.operation);
  const { controller, letGo } = followerOf(options.signal);
  const { signal } = controller;
  const stopListening = engine.closing?.listen(() => controller.abort(new GridClosedError()));
  const { progress } = engine;
  const pace = new Pace(engine);
  const ask = async (server: StorageServer) => {
    const { id } = server;
    const secrets = deriveLeaseSecrets(leaseSecret, storageIndex, server.tubId);
    const call = (hurried: AbortSignal) =>
      server.addLease(storageIndex, secrets, { signal: hurried });
    try {
      const isThere = await withDeadline(engine, engine.deadlines.queryMs, signal, (deadline) =>
        pace.run(id, deadline, call),
      );
      return { renewed: isThere ? [id] : [], absent: isThere ? [] : [id], failures: [] };
    } catch (error) {
      signal.throwIfAborted();
      return { renewed: [], absent: [], failures: [{ server: id, failure: failureIn(error) }] };
    } finally {
      // Who was given up has told nothing.
      if (!signal.aborted) progress?.heard(id);
    }
  };
  try {
    signal.throwIfAborted();
    engine.closing?.throwIfClosed();
    progress?.leases(servers.map(({ id }) => id));
    const answers = await Promise.all(permutedServers(servers, storageIndex).map(ask));
    return {
      renewed: answers.flatMap((answer) => answer.renewed),
      absent: answers.flatMap((answer) => answer.absent),
      failures: answers.flatMap((answer) => answer.failures),
    };
  } finally {
    letGo();
    stopListening?.();
    // Nothing that is still under way is wanted.
    controller.abort();
  }
}

/** As elsewhere, a server's bug is no more than that server's failure. */
function failureIn(error: unknown): Failure {
  try {
    return toFailure(error);
  } catch (bug) {
    return internalFailure(bug);
  }
}
