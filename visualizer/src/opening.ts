/**
 * @module opening: what the address says is opened, and what is open is in the address; a reload
 * finds the branches again.
 */
import { batch, effect } from '@preact/signals';
import { type KeptBranch, keepBranches, keptBranches, onAddress, writeAddress } from './address.ts';
import { type DrawnChart, showShippedCharts } from './charts.ts';
import type { Scene } from './engine/protocol.ts';
import type { FirstScene } from './first-scene.ts';
import { inOrderOfSteps, type Link, type ReadLink, readLink, writeLink } from './model/link.ts';
import { quoted } from './model/quoted.ts';
import { type Preset, presets } from './presets.ts';
import {
  at,
  type Branch,
  branch,
  branches,
  currentId,
  engine,
  focusedChild,
  focusedRoot,
  goesWrongAt,
  grow,
  isSame,
  labelsOf,
  last,
  lastFile,
  models,
  modelsOf,
  notice,
  openRecording,
  openScene,
  ownLabels,
  preset,
  recording,
  scenarios,
  scene,
} from './store.ts';
import { isTalk } from './talk.ts';

let liveAddress: string | null = null;

export async function start(): Promise<void> {
  effect(remember);
  effect(keep);
  onAddress((hash) => void openAddress(hash));
  const loading = Promise.all([loadScenarios(), loadCharts()]);
  if (await openFirstScene()) return;
  await loading;
  await openLink(readLink(location.hash));
}

/** What was made when the page was built; a page under development has none. */
async function built<T>(name: string): Promise<T | undefined> {
  const response = await fetch(`./${name}`).catch(() => undefined);
  if (!response?.headers.get('content-type')?.includes('json')) return undefined;
  return (await response.json()) as T;
}

async function loadScenarios(): Promise<void> {
  scenarios.value = (await built<readonly Preset[]>('scenarios.json')) ?? [];
}

async function loadCharts(): Promise<void> {
  showShippedCharts((await built<readonly DrawnChart[]>('charts.json')) ?? []);
}

/** What the page was built with: the engine is not needed to look at it. */
async function openFirstScene(): Promise<boolean> {
  const link = readLink(location.hash);
  if (!isPlain(link)) return false;
  isTalk.value = link.view === 'talk';
  const first = await built<FirstScene>('first-scene.json');
  const chosen = presets.find(({ id }) => id === first?.preset);
  if (first === undefined || chosen === undefined) return false;
  if (link.preset !== null && link.preset !== chosen.id) return false;
  const kept = keptBranches(chosen.scene);
  preset.value = chosen;
  scene.value = chosen.scene;
  ownLabels.value = labelsOf(first.frames);
  grow(first.path, 0, first.frames, null);
  notice.value = inOrderOfSteps([...(await restore(kept)), ...showAt(link)]).join(' ');
  return true;
}

/** Whether a link is about a preset as it is. */
function isPlain({ scene: own, steps, live, file, problems }: ReadLink): boolean {
  return own === null && steps === null && live === null && file === null && problems.length === 0;
}

/** Somebody went back, or forward, or changed the address. */
async function openAddress(hash: string): Promise<void> {
  const link = readLink(hash);
  if (!showAgain(link)) await openLink(link);
}

/** Whether the link is about what is here, which is shown then. */
function showAgain(link: Link): boolean {
  const { preset: id, scene: own, steps, live, file, tab, card } = link;
  if (live !== null || file !== null || recording.value !== null) return false;
  const isHere = own === null ? preset.value?.id === id : isSame(own, scene.value);
  if (!isHere) return false;
  const labels = steps ?? ownLabels.value;
  const startsSo = ({ frames }: Branch) => isSame(labelsOf(frames).slice(0, labels.length), labels);
  const fitting = branches.value.filter(startsSo);
  const there = fitting.find(({ frames }) => frames.length === labels.length + 1) ?? fitting[0];
  if (there === undefined) return false;
  batch(() => {
    isTalk.value = link.view === 'talk';
    currentId.value = there.id;
    const home = steps === null ? goesWrongAt() : labels.length;
    at.value = Math.min(link.at ?? home, last.value);
    focusedRoot.value = tab;
    focusedChild.value = card;
  });
  return true;
}

async function openLink(link: ReadLink): Promise<void> {
  const problems = [...link.problems];
  isTalk.value = link.view === 'talk';
  if (link.live !== null) return openLive(link.live, link);
  if (link.file !== null && link.file === lastFile?.title) {
    return openRecording(link.file, lastFile.model.records);
  }
  if (link.file !== null) problems.push(`${quoted(link.file)} is a file: open it again.`);
  const known = [...presets, ...scenarios.value].find(({ id }) => id === link.preset);
  if (link.preset !== null && known === undefined) {
    problems.push(`There is no scene ${quoted(link.preset)} here, so this is another one.`);
  }
  const first = presets[0] as Preset;
  const chosen = link.scene === null ? (known ?? first) : null;
  const shown = chosen?.scene ?? (link.scene as Scene);
  const kept = keptBranches(shown);
  // The steps of a scene that is not there are none of another one.
  const isMeant = link.scene !== null || known !== undefined || problems.length === 0;
  await openScene(chosen, shown, isMeant ? link.steps : null);
  if (notice.value !== '') problems.push(notice.value);
  if (branch.value === undefined && link.scene !== null) await openScene(first, first.scene, null);
  else if (isMeant) problems.push(...(await restore(kept)), ...showAt(link));
  notice.value = inOrderOfSteps(problems).join(' ');
}

async function openLive(address: string, { tab, card }: Link): Promise<void> {
  const { watch } = await import('./live-store.ts');
  liveAddress = address;
  watch(address);
  if (tab !== null) focusedRoot.value = tab;
  if (card !== null) focusedChild.value = card;
}

/** What is picked, and the step. Returns what is not there. */
function showAt({ at: step, tab, card }: Pick<Link, 'at' | 'tab' | 'card'>): readonly string[] {
  const problems: string[] = [];
  if (step !== null && step > last.value) {
    problems.push(`The link names step ${step}; the run has ${last.value}.`);
  }
  if (step !== null) at.value = Math.min(step, last.value);
  for (const [picked, focus] of [[tab, focusedRoot] as const, [card, focusedChild] as const]) {
    if (picked === null) continue;
    if (models.value.some(({ tracks }) => tracks.has(picked))) focus.value = picked;
    else problems.push(`The link names ${quoted(picked)}, which this run does not have.`);
  }
  return problems;
}

/**
 * The branches of before a reload, if the one that was opened is among them.
 * @returns what could not be done again, in words
 */
async function restore(kept: readonly KeptBranch[]): Promise<readonly string[]> {
  const [opened] = branches.value;
  const same = kept.find(({ labels }) => isSame(labels, labelsOf(opened?.frames ?? [])));
  if (opened === undefined || same === undefined || kept.length < 2) return [];
  const asked = scene.value as Scene;
  const problems: string[] = [];
  const restored: Branch[] = [];
  for (const { labels, ...about } of kept) {
    if (about.id === same.id) restored.push({ ...opened, ...about });
    else {
      const answer = await engine.request({ kind: 'follow', scene: asked, labels });
      if (scene.value !== asked) return [];
      if (answer.kind !== 'frames') continue;
      const { path, frames, stopped } = answer;
      if (stopped != null) problems.push(`Branch ${about.id}: ${stopped}.`);
      restored.push({ ...about, path, frames, models: modelsOf(frames) });
    }
  }
  batch(() => {
    branches.value = restored;
    currentId.value = same.id;
  });
  return problems;
}

// --- the address --------------------------------------------------------------------------------

function remember(): void {
  const { value: current } = branch;
  const { value: recorded } = recording;
  const [tab, card] = [focusedRoot.value, focusedChild.value];
  const view = isTalk.value ? 'talk' : null;
  if (recorded?.isLive) writeAddress(writeLink({ live: liveAddress, tab, card, view }));
  else if (recorded !== null) writeAddress(writeLink({ file: recorded.title, tab, card, view }));
  else if (current !== undefined) {
    const labels = labelsOf(current.frames);
    const id = preset.value?.id ?? null;
    const isOwn = id !== null && isSame(labels, ownLabels.value);
    const steps = isOwn ? null : labels;
    // Where it is opened goes without saying.
    const home = isOwn ? goesWrongAt() : last.value;
    const step = at.value === home ? null : at.value;
    const shown = { preset: id, scene: scene.value, steps, at: step };
    writeAddress(writeLink({ ...shown, tab, card, view }));
  }
}

/** For a reload. One branch needs no keeping: the address has it. */
function keep(): void {
  if (scene.value === null || branches.value.length === 0) return;
  const kept = branches.value.map(({ id, frames, parent, forkedAt }) => {
    return { id, labels: labelsOf(frames), parent, forkedAt };
  });
  keepBranches(scene.value, kept);
}
