/**
 * @module worlds: the simulation's worlds for tests that choose the deliveries themselves.
 *
 * Messages are named as in scenarios, by the beginning of their labels: `s4 list`, `s0 sh1` (all that
 * is about share 1 of s0), `A s0` (all of client A with s0).
 */
import type { Servermap } from '../../machines/servermap.ts';
import { contentsOf } from '../../src/simulation/contents.ts';
import type { Program } from '../../src/simulation/operations.ts';
import { Prng } from '../../src/simulation/prng.ts';
import {
  type Message,
  type OperationSpec,
  type ServerSpec,
  type TraceRecord,
  World,
  type WorldOptions,
} from '../../src/simulation/world.ts';
import { bytesOf } from './client-grid.ts';
import { simulationKey } from './simulation-key.ts';

