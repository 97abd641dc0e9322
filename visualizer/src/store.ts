/**
 * @module store: what the page shows, as signals, and everything that can be done to it.
 *
 * A run is a scene and a path of choices. Acting in the past makes a branch; no branch is ever
 * changed but at its end. A recording (a saved or a live trace) has no choices.
 */
import { computed, effect, signal } from '@preact/signals';
import { VersionNames } from '../../src/simulation/version-names.ts';
import type { TraceRecord } from '../../src/simulation/world.ts';
import { drawCharts } from './charts.ts';
import type { Frame, OfferedChoice, Scene, Verdict } from './engine/protocol.ts';
import { EngineClient } from './engine-client.ts';
import type { FirstScene } from './first-scene.ts';
import { firstDifference } from './model/difference.ts';
import { type Link, readLink, writeLink } from './model/link.ts';
import { TraceModel } from './model/trace-model.ts';
import { type Preset, presets } from './presets.ts';

export interface Branch {
  readonly id: number;
  readonly path: readonly number[];
  readonly frames: readonly Frame[];
  /** One per side; they grow in place. */
  readonly models: readonly TraceModel[];
  readonly parent: number | null;
  /** The last step in common with the parent. */
  readonly forkedAt: number;
}

export interface Recording {
  readonly title: string;
  readonly model: TraceModel;
  readonly isLive: boolean;
}

const engine = new EngineClient();

/** One per scenario file, made when the page was built. */
export const scenarios = signal<readonly Preset[]>([]);
export const preset = signal<Preset | null>(null);
export const scene = signal<Scene | null>(null);
export const branches = signal<readonly Branch[]>([]);
export const currentId = signal(0);
/** Step (explorer) or record (recording) that is looked at; the last one is the present. */
export const at = signal(0);
export const recording = signal<Recording | null>(null);
export const isBusy = signal(false);
/** Goes up when a model has grown: models are not signals themselves. */
export const growth = signal(0);
/** Errors and other news, for a banner. */
export const notice = signal('');
/** Chosen by the reader; null: what moved last. */
export const focusedRoot = signal<string | null>(null);
export const focusedChild = signal<string | null>(null);
export const isPlaying = signal(false);

export const branch = computed(() => branches.value.find(({ id }) => id === currentId.value));
export const models = computed<readonly TraceModel[]>(() =>
  recording.value === null ? (branch.value?.models ?? []) : [recording.value.model],
);
/** The last step that can be looked at. */
export const last = computed(() => {
  if (recording.value !== null) return Math.max(0, recording.value.model.records.length - 1);
  return Math.max(0, (branch.value?.frames.length ?? 1) - 1);
});
export const frame = computed<Frame | undefined>(() =>
  recording.value === null ? branch.value?.frames[at.value] : undefined,
);
export const isPresent = computed(() => at.value === last.value);
export const difference = computed(() =>
  recording.value === null ? firstDifference(branch.value?.frames ?? []) : null,
);
export const titles = computed(() =>
  recording.value === null
    ? (scene.value?.sides.map(({ title }) => title) ?? [])
    : [recording.value.title],
);

/** The same for narrow columns. */
export const shortTitles = computed(() => scene.value?.sides.map(({ short }) => short) ?? []);

/**
 * Short names for versions, one set per side: in the order in which they are under way and land.
 */
export const versionNames = computed<readonly VersionNames[]>(() => {
  const names = titles.value.map(() => new VersionNames());
  for (const { sides } of branch.value?.frames ?? []) {
    sides.forEach(({ messages, servers }, i) => {
      for (const { write } of messages) names[i]?.plain(write?.version ?? '');
      for (const { shares } of servers) names[i]?.plain(Object.values(shares).join(' '));
    });
  }
  return names;
});

/** The first violation on each side, as of the end of the branch. */
export const violations = computed<readonly (Verdict | undefined)[]>(() =>
  (branch.value?.frames.at(-1)?.sides ?? []).map(({ verdicts }) =>
    verdicts
      .filter(({ violation }) => violation !== null)
      .sort((a, b) => (a.violation?.step ?? 0) - (b.violation?.step ?? 0))
      .at(0),
  ),
);

/** How many records had happened on a side after a step. */
export function positionAt(side: number, step: number): number {
  if (recording.value !== null) return step < 0 ? 0 : step + 1;
  let position = 0;
  for (const { sides } of branch.value?.frames.slice(0, step + 1) ?? []) {
    position += sides[side]?.records.length ?? 0;
  }
  return position;
}

// --- opening ------------------------------------------------------------------------------------

export async function start(): Promise<void> {
  effect(remember);
  addEventListener('hashchange', () => {
    if (location.hash !== written) void openLink(readLink(location.hash));
  });
  const loading = loadScenarios();
  if (await openFirstScene()) return;
  await loading;
  const opened = openLink(readLink(location.hash));
  const answer = await engine.request({ kind: 'charts' });
  if (answer.kind === 'charts') await drawCharts(answer.charts);
  await opened;
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

/** What the page was built with: the engine is not needed to look at it. */
async function openFirstScene(): Promise<boolean> {
  if (location.hash !== '') return false;
  const first = await built<FirstScene>('first-scene.json');
  const chosen = presets.find(({ id }) => id === first?.preset);
  if (first === undefined || chosen === undefined) return false;
  preset.value = chosen;
  scene.value = chosen.scene;
  grow(first.path, 0, first.frames, null);
  await drawCharts(first.charts);
  return true;
}

async function openLink(link: Link): Promise<void> {
  if (link.live !== null) {
    const { watch } = await import('./live.ts');
    return watch(link.live, {
      open: () => openRecording('a run in Node', [], true),
      add: addRecords,
      tell: (problem) => {
        notice.value = problem;
      },
    });
  }
  const all = [...presets, ...scenarios.value];
  const known = all.find(({ id }) => id === link.preset) ?? presets[0];
  const chosen = link.scene === null ? (known as Preset) : null;
  await open(chosen, link.scene ?? (known as Preset).scene, link.path, link.at);
}

export function openPreset(chosen: Preset): Promise<void> {
  return open(chosen, chosen.scene, null, null);
}

async function open(
  chosen: Preset | null,
  opened: Scene,
  path: readonly number[] | null,
  step: number | null,
): Promise<void> {
  forget();
  preset.value = chosen;
  scene.value = opened;
  await ask(
    path === null
      ? { kind: 'follow', scene: opened, labels: chosen?.labels ?? [], rest: chosen?.rest ?? [] }
      : { kind: 'run', scene: opened, path, from: 0 },
    () => null,
  );
  if (step !== null) at.value = Math.min(step, last.value);
}

/** A saved run: its scene and its choices by label. */
export async function openRun(saved: Scene, labels: readonly string[]): Promise<void> {
  forget();
  const known = presets.find((p) => JSON.stringify(p.scene) === JSON.stringify(saved));
  preset.value = known ?? null;
  scene.value = saved;
  await ask({ kind: 'follow', scene: saved, labels }, () => null);
}

export function openRecording(
  title: string,
  records: readonly TraceRecord[],
  isLive = false,
): void {
  forget();
  preset.value = null;
  scene.value = null;
  const model = new TraceModel(false);
  model.add(records);
  recording.value = { title, model, isLive };
  at.value = isLive ? last.value : 0;
}

/** More of a live recording. Who looks at the end stays there. */
export function addRecords(records: readonly TraceRecord[]): void {
  const { value } = recording;
  if (value === null) return;
  const follows = isPresent.value;
  value.model.add(records);
  recording.value = { ...value };
  growth.value++;
  if (follows) at.value = last.value;
}

function forget(): void {
  isBusy.value = false;
  branches.value = [];
  currentId.value = 0;
  at.value = 0;
  recording.value = null;
  notice.value = '';
  focusedRoot.value = null;
  focusedChild.value = null;
  isPlaying.value = false;
}

// --- acting -------------------------------------------------------------------------------------

/** Lets a choice of the step that is looked at happen; in the past, on a branch of its own. */
export async function act(choice: OfferedChoice): Promise<void> {
  const { value: current } = branch;
  const index = frame.value?.choices.indexOf(choice) ?? -1;
  if (current === undefined || scene.value === null || index < 0 || isBusy.value) return;
  const step = at.value;
  const path = [...current.path.slice(0, step), index];
  if (current.path[step] === index) {
    // It is what happened next anyway.
    at.value = step + 1;
    return;
  }
  await ask({ kind: 'run', scene: scene.value, path, from: step + 1 }, () => current);
}

/** Lets everything else happen in order, without faults. */
export async function finish(): Promise<void> {
  const { value: current } = branch;
  if (current === undefined || scene.value === null || isBusy.value) return;
  const path = current.path.slice(0, at.value);
  await ask({ kind: 'finish', scene: scene.value, path }, () => current);
}

type Ask = Parameters<EngineClient['request']>[0];

async function ask(request: Ask, parentOf: () => Branch | null): Promise<void> {
  const { value: asked } = scene;
  // Another scene may be chosen before the answer comes.
  const isMeant = () => scene.value === asked;
  isBusy.value = true;
  notice.value = '';
  try {
    const answer = await engine.request(request);
    if (answer.kind !== 'frames' || !isMeant()) return;
    grow(answer.path, answer.from, answer.frames, parentOf());
  } catch (error) {
    if (isMeant()) notice.value = `That did not work: ${(error as Error).message}`;
  } finally {
    if (isMeant()) isBusy.value = false;
  }
}

/** Adds frames to the end of a branch, or to a new one. */
function grow(
  path: readonly number[],
  from: number,
  frames: readonly Frame[],
  parent: Branch | null,
): void {
  if (frames.length === 0) return;
  const isAtEnd = parent !== null && parent.frames.length === from;
  if (parent !== null && isAtEnd) {
    addTo(parent.models, frames);
    const grown = { ...parent, path, frames: [...parent.frames, ...frames] };
    branches.value = branches.value.map((b) => (b.id === parent.id ? grown : b));
  } else {
    const all = [...(parent?.frames.slice(0, from) ?? []), ...frames];
    const id = Math.max(0, ...branches.value.map((b) => b.id)) + 1;
    const forkedAt = parent === null ? 0 : from - 1;
    const models = modelsOf(all);
    const added = { id, path, frames: all, models, parent: parent?.id ?? null, forkedAt };
    branches.value = [...branches.value, added];
    currentId.value = id;
  }
  at.value = last.value;
}

function modelsOf(frames: readonly Frame[]): readonly TraceModel[] {
  const models = (frames[0] as Frame).sides.map(() => new TraceModel(true));
  addTo(models, frames);
  return models;
}

function addTo(grown: readonly TraceModel[], frames: readonly Frame[]): void {
  for (const { sides } of frames) {
    for (const [i, { records }] of sides.entries()) grown[i]?.add(records);
  }
  growth.value++;
}

export function chooseBranch(id: number): void {
  const chosen = branches.value.find((b) => b.id === id);
  if (chosen === undefined) return;
  currentId.value = id;
  at.value = Math.min(at.value < chosen.forkedAt ? at.value : last.value, last.value);
}

// --- looking ------------------------------------------------------------------------------------

export function goTo(step: number): void {
  at.value = Math.max(0, Math.min(last.value, step));
}

let player: ReturnType<typeof setInterval> | undefined;

/** Shows step after step up to the present. */
export function togglePlaying(): void {
  isPlaying.value = !isPlaying.value;
  clearInterval(player);
  if (!isPlaying.value) return;
  if (isPresent.value) goTo(0);
  player = setInterval(() => {
    goTo(at.value + 1);
    if (isPresent.value) togglePlaying();
  }, 600);
}

/** Makes these choices: the branch that has them, as far as there is one. */
export async function follow(labels: readonly string[]): Promise<void> {
  const { value: current } = branch;
  if (scene.value === null || current === undefined) return;
  const answer = await engine.request({ kind: 'follow', scene: scene.value, labels });
  if (answer.kind !== 'frames') return;
  const common = answer.path.findIndex((index, i) => index !== current.path[i]);
  const from = (common < 0 ? answer.path.length : common) + 1;
  if (from >= answer.frames.length) return goTo(answer.path.length);
  grow(answer.path, from, answer.frames.slice(from), current);
}

// --- the address --------------------------------------------------------------------------------

let written = '';

function remember(): void {
  const { value: current } = branch;
  if (current === undefined || recording.value !== null) return;
  const step = isPresent.value ? null : at.value;
  const { path } = current;
  const id = preset.value?.id ?? null;
  written = writeLink({ preset: id, scene: scene.value, path, at: step });
  history.replaceState(null, '', written);
}

export interface SavedRun {
  readonly format: 'tahoe-mutable-run 1';
  readonly title: string;
  readonly scene: Scene;
  readonly choices: readonly string[];
}

/** The run up to its end, to be saved. */
export function savedRun(): SavedRun | null {
  if (scene.value === null || branch.value === undefined) return null;
  return {
    format: 'tahoe-mutable-run 1',
    title: preset.value?.title ?? 'a run',
    scene: scene.value,
    choices: branch.value.frames.slice(1).map(({ label }) => label as string),
  };
}
