/**
 * @module store: what the page shows, as signals, and everything that can be done to it.
 *
 * A run is a scene and a path of choices. Acting in the past makes a branch; no branch is ever
 * changed but at its end. A recording (a saved or a live trace) has no choices.
 */
import { batch, computed, signal } from '@preact/signals';
import { VersionNames } from '../../src/simulation/version-names.ts';
import type { TraceRecord } from '../../src/simulation/world.ts';
import { markDeliberate } from './address.ts';
import { drawRecordedCharts, forgetRecordedCharts } from './charts.ts';
import type { Frame, OfferedChoice, Scene, Verdict } from './engine/protocol.ts';
import { EngineClient } from './engine-client.ts';
import { firstDifference } from './model/difference.ts';
import type { Link } from './model/link.ts';
import { problemOfScene } from './model/scene-problem.ts';
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

export const engine = new EngineClient();

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

/** Per side, how many records had happened after each step of the branch. */
const positions = computed<readonly (readonly number[])[]>(() => {
  const frames = branch.value?.frames ?? [];
  return (frames[0]?.sides ?? []).map((_, side) => {
    let position = 0;
    return frames.map(({ sides }) => {
      position += sides[side]?.records.length ?? 0;
      return position;
    });
  });
});

/** How many records had happened on a side after a step. */
export function positionAt(side: number, step: number): number {
  if (recording.value !== null) return step < 0 ? 0 : step + 1;
  const all = positions.value[side] ?? [];
  return all[Math.min(step, all.length - 1)] ?? 0;
}

// --- opening ------------------------------------------------------------------------------------

export function openPreset(chosen: Preset): Promise<void> {
  markDeliberate();
  return openScene(chosen, chosen.scene, null);
}

/** @param steps null: the preset's own */
export async function openScene(
  chosen: Preset | null,
  opened: Scene,
  steps: Link['steps'],
): Promise<void> {
  forget();
  preset.value = chosen;
  scene.value = opened;
  const { labels = [], rest = [] } = chosen ?? {};
  await ask(
    steps === null
      ? { kind: 'follow', scene: opened, labels, rest }
      : { kind: 'follow', scene: opened, labels: steps },
    () => null,
  );
  // Another scene may have been chosen meanwhile.
  if (steps === null && scene.value === opened) {
    ownLabels.value = labelsOf(branch.value?.frames ?? []);
    at.value = goesWrongAt();
  }
}

/** A scene is opened where it goes wrong, or else at its end. */
export function goesWrongAt(): number {
  const broken = violations.value.map((verdict) => verdict?.violation?.step ?? last.value);
  return Math.min(...broken, last.value);
}

/** A saved run: its scene and its choices by label. What it cannot be followed in is told. */
export async function openRun(saved: Scene, labels: readonly string[]): Promise<void> {
  const problem = problemOfScene(saved);
  if (problem !== null) throw new Error(problem);
  if (!Array.isArray(labels) || labels.some((label) => typeof label !== 'string')) {
    throw new Error('its choices are no list of labels');
  }
  markDeliberate();
  await openScene(presets.find((known) => isSame(known.scene, saved)) ?? null, saved, labels);
}

export function openRecording(
  title: string,
  records: readonly TraceRecord[],
  isLive = false,
): void {
  forget();
  preset.value = null;
  scene.value = null;
  // Of a simulated run columns are its choices.
  const model = new TraceModel(records.some(({ kind }) => kind === 'choice'));
  model.add(records);
  void drawRecordedCharts(records);
  const opened = { title, model, isLive };
  if (!isLive) {
    lastFile = opened;
    markDeliberate();
  }
  batch(() => {
    recording.value = opened;
    at.value = last.value;
  });
}

/** More of a live recording. Who looks at the end stays there. */
export function addRecords(records: readonly TraceRecord[]): void {
  const { value } = recording;
  if (value === null) return;
  const follows = isPresent.value;
  value.model.add(records);
  void drawRecordedCharts(records);
  recording.value = { ...value };
  growth.value++;
  if (follows) at.value = last.value;
}

function forget(): void {
  isBusy.value = false;
  forgetRecordedCharts();
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
  if (!isPresent.value) markDeliberate();
  await ask({ kind: 'run', scene: scene.value, path, from: step + 1 }, () => current);
}

/** Lets everything else happen in order, without faults. */
export async function finish(): Promise<void> {
  const { value: current } = branch;
  if (current === undefined || scene.value === null || isBusy.value) return;
  const path = current.path.slice(0, at.value);
  if (!isPresent.value) markDeliberate();
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
    if (answer.stopped != null) {
      notice.value = `${answer.stopped}; what was before it is shown.`;
    }
  } catch (error) {
    if (isMeant()) notice.value = `That did not work: ${(error as Error).message}`;
  } finally {
    if (isMeant()) isBusy.value = false;
  }
}

/** Adds frames to the end of a branch, or to a new one. */
export function grow(
  path: readonly number[],
  from: number,
  frames: readonly Frame[],
  parent: Branch | null,
): void {
  if (frames.length === 0) return;
  batch(() => growNow(path, from, frames, parent));
}

function growNow(
  path: readonly number[],
  from: number,
  frames: readonly Frame[],
  parent: Branch | null,
): void {
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

export function modelsOf(frames: readonly Frame[]): readonly TraceModel[] {
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
  if (id !== currentId.value) markDeliberate();
  batch(() => {
    currentId.value = id;
    at.value = Math.min(at.value < chosen.forkedAt ? at.value : last.value, last.value);
  });
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

// --- what is told elsewhere ---------------------------------------------------------------------

/** What the preset does when it is opened: a link need not say it. */
export const ownLabels = signal<readonly string[]>([]);
/** To come back to: a link cannot hold it. */
export let lastFile: Recording | undefined;

export function labelsOf(frames: readonly Frame[]): readonly string[] {
  return frames.slice(1).map(({ label }) => label as string);
}

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
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
    choices: labelsOf(branch.value.frames),
  };
}
