/**
 * @module write-charts: the charts that write, with their IO: the other half of `charts.ts`.
 */
import { repairFileMachine } from '../../machines/repair-file.machine.ts';
import { writeFileMachine } from '../../machines/write-file.machine.ts';
import { applyModifier } from './apply-modifier.ts';
import { onceEach, readVersionOn, updateOn } from './charts.ts';
import { publishing } from './publish-version.ts';
import { verifying } from './retrieve-segments.ts';
import { readTrees } from './update-in-place.ts';
import { openSession } from './workbench.ts';

export const writeFileOn = onceEach((engine) => {
  const [servermapUpdate, readVersion] = [updateOn(engine), readVersionOn(engine)];
  const reading = { openSession, servermapUpdate, readTrees, readVersion };
  const actors = { ...reading, applyModifier, publish: publishing() };
  return writeFileMachine.provide({ actors });
});

export const repairFileOn = onceEach((engine) => {
  const [servermapUpdate, readVersion] = [updateOn(engine), readVersionOn(engine)];
  const judging = { openSession, servermapUpdate, retrieve: verifying() };
  return repairFileMachine.provide({ actors: { ...judging, readVersion, publish: publishing() } });
});
