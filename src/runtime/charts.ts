/**
 * @module charts: the charts of the operations with their IO, each made once, when it is first needed. Those
 * that write are in `write-charts.ts`.
 *
 * To give a chart its actors makes all of its states anew, and a small operation has seven charts. So
 * the actors find what their run has in hand by themselves (`benchOf`), and the charts stay.
 */
import { readFileMachine } from '../../machines/read-file.machine.ts';
import { readVersionMachine } from '../../machines/read-version.machine.ts';
import { servermapUpdateMachine } from '../../machines/servermap-update.machine.ts';
import { verifyFileMachine } from '../../machines/verify-file.machine.ts';
import { mapping } from './map-servers.ts';
import { retrieving, verifying } from './retrieve-segments.ts';
import type { Engine } from './run.ts';
import { openSession } from './workbench.ts';

/** One chart per engine's chart of updates: in the simulator and the demo that is another one. */
export function onceEach<Chart extends object>(make: (engine: Engine) => Chart) {
  const made = new WeakMap<typeof servermapUpdateMachine, Chart>();
  return (engine: Engine): Chart => {
    const update = updateOf(engine);
    const chart = made.get(update) ?? make(engine);
    made.set(update, chart);
    return chart;
  };
}

function updateOf({ machines }: Engine): typeof servermapUpdateMachine {
  return (machines ?? { servermapUpdate: servermapUpdateMachine }).servermapUpdate;
}

export const updateOn = onceEach((engine) => mapping(updateOf(engine)));

export const readVersionOn = onceEach((engine) => {
  const actors = { servermapUpdate: updateOn(engine), retrieve: retrieving() };
  return readVersionMachine.provide({ actors });
});

export const readFileOn = onceEach((engine) => {
  const readVersion = readVersionOn(engine);
  const actors = { openSession, servermapUpdate: updateOn(engine), readVersion };
  return readFileMachine.provide({ actors });
});

export const verifyFileOn = onceEach((engine) => {
  const actors = { openSession, servermapUpdate: updateOn(engine), retrieve: verifying() };
  return verifyFileMachine.provide({ actors });
});
