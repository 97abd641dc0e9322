/**
 * @module explore-store: every order, as the page asks for it and shows it.
 *
 * Each side that is explored has two workers of its own, one after the other: the first searches and
 * walks, the second walks for it. The first stays, to count along runs.
 */
import { computed, effect, signal, untracked } from '@preact/signals';
import type { Exploration, OrderShare, Response, Side } from './engine/protocol.ts';
import { EngineClient } from './engine-client.ts';
import { at, type Branch, branch, follow, isBusy, notice, preset, scene } from './store.ts';

/** One side explored. */
export interface Explored {
  readonly side: number;
  readonly exploration: Exploration;
  /** The choices of this side that it begins after, and at which step of the run that is. */
  readonly labels: readonly string[];
  /** Along the run that is looked at, per step of this side from there. */
  readonly shares: readonly StepShare[];
  /** The last step of the run that they hold for: a step that leaves this side alone keeps them. */
  readonly until: number;
}

export interface StepShare extends OrderShare {
  readonly step: number;
}

/** Which sides; null: all. */
export const chosenSide = signal<number | null>(null);
/** From the step that is looked at on, or from the beginning. */
export const isFromHere = signal(false);
/** How many faults an order may have. */
export const faultsMax = signal(0);
export const explorations = signal<readonly Explored[]>([]);
export const isExploring = signal(false);
/** Sides whose turn comes when the one before is explored. */
export const followingSides = signal<readonly number[]>([]);
const wantsFaults = signal<boolean | null>(null);

/** Choices that are no faults. */
const isPlain = (label: string | null) =>
  label === null || /^(start|deliver|advance)\b/.test(label);

/** Whether faults are offered: where they were asked for, and in scenes that have some. */
export const showsFaults = computed(
  () =>
    wantsFaults.value ??
    ((preset.value === null && branch.value?.frames.some(({ label }) => !isPlain(label))) ||
      [...(preset.value?.labels ?? []), ...(preset.value?.rest ?? [])].some((l) => !isPlain(l))),
);

export function showFaults(wanted: boolean): void {
  wantsFaults.value = wanted;
}

let clients: readonly { readonly side: number; readonly client: EngineClient }[] = [];
/** The run that the shares are of. */
let counted: Branch | undefined;
/** Per side, the worker that has explored it. */
let explorers = new Map<number, EngineClient>();
/** The search under way: one that was stopped goes on with nothing. */
let run = 0;

/** Explores the chosen sides, one after the other. It only reports: the reader stays where he is. */
export async function exploreOrders(): Promise<void> {
  const { value: asked } = scene;
  if (asked === null || branch.value === undefined || isExploring.value) return;
  explorations.value = [];
  stopExploring();
  isExploring.value = true;
  const mine = ++run;
  const isMeant = (i: number) => chosenSide.value === null || chosenSide.value === i;
  followingSides.value = [...asked.sides.keys()].filter(isMeant);
  try {
    for (let [side] = followingSides.value; side !== undefined; [side] = followingSides.value) {
      if (run !== mine) return;
      followingSides.value = followingSides.value.slice(1);
      await exploreSide(side, asked.sides[side] as Side);
    }
  } catch (error) {
    if ((error as Error).message !== 'stopped') notice.value = (error as Error).message;
  } finally {
    if (run === mine) isExploring.value = false;
  }
}

async function exploreSide(side: number, { options }: Side): Promise<void> {
  const explorer = await startPair(side);
  explorers.set(side, explorer);
  const labels = isFromHere.value ? labelsOf(side, at.value) : [];
  const show = (exploration: Exploration) => {
    const others = explorations.value.filter((e) => e.side !== side);
    explorations.value = [...others, { side, exploration, labels, shares: [], until: 0 }];
  };
  explorer.onProgress(show);
  const search = { options, labels, faultsMax: faultsMax.value };
  const answer = await explorer.request({ kind: 'explore', search });
  if (answer.kind !== 'exploration') return;
  show(answer.exploration);
  await countShares(side);
}

/** Two workers, the second of which walks for the first. */
async function startPair(side: number): Promise<EngineClient> {
  const [explorer, helper] = [new EngineClient(), new EngineClient()];
  clients = [...clients, { side, client: explorer }, { side, client: helper }];
  const { port1, port2 } = new MessageChannel();
  const connected: Promise<Response>[] = [
    explorer.request({ kind: 'borrow', port: port1 }, [port1]),
    helper.request({ kind: 'lend', port: port2 }, [port2]),
  ];
  await Promise.all(connected);
  return explorer;
}

/** Who has explored all of a side stays, to count along other runs. */
export function stopExploring(): void {
  run++;
  const isDone = (side: number) =>
    explorations.value.some((e) => e.side === side && e.exploration.status === 'exhausted');
  for (const { side, client } of clients) if (!isDone(side)) client.stop();
  clients = clients.filter(({ side }) => isDone(side));
  explorers = new Map([...explorers].filter(([side]) => isDone(side)));
  isExploring.value = false;
  followingSides.value = [];
  // What was found by then stays.
  explorations.value = explorations.value.map((e) =>
    e.exploration.status === 'running'
      ? { ...e, exploration: { ...e.exploration, status: 'stopped' } }
      : e,
  );
}

/** What this side did up to a step. */
function labelsOf(side: number, step: number): readonly string[] {
  return (branch.value?.frames.slice(1, step + 1) ?? [])
    .filter(({ sides }) => sides[side]?.isSkipped === false)
    .map(({ label }) => label as string);
}

async function countShares(side: number): Promise<void> {
  const explored = explorations.value.find((e) => e.side === side);
  const { value: current } = branch;
  if (explored === undefined || current === undefined) return;
  const { labels: before } = explored;
  const labels = labelsOf(side, current.frames.length - 1);
  const isOn = before.every((label, i) => labels[i] === label);
  const answer = isOn
    ? await explorers.get(side)?.request({ kind: 'shares', labels: labels.slice(before.length) })
    : undefined;
  const shares = answer?.kind === 'shares' ? answer.shares : [];
  // The step of the run after each choice of this side.
  const steps = current.frames.flatMap(({ sides }, i) => (sides[side]?.isSkipped ? [] : [i]));
  const placed = shares.map((share, i) => ({ ...share, step: steps[before.length + i] ?? 0 }));
  if (branch.value !== current) return;
  counted = current;
  const next = steps[before.length + shares.length];
  const until = (next ?? current.frames.length) - 1;
  explorations.value = explorations.value.map((e) =>
    e.side === side ? { ...e, shares: placed, until } : e,
  );
}

/** What was drawn for another run is no longer shown; drawing takes long. */
function countAgain(): void {
  explorations.value = explorations.value.map((e) =>
    e.exploration.status === 'exhausted' ? e : { ...e, shares: [] },
  );
  for (const { side, exploration } of explorations.value) {
    // Who stops the search stops this, too.
    if (exploration.status === 'exhausted') void countShares(side).catch(() => {});
  }
}

/** Goes to the shortest order that violates a property. */
export async function showFound({ labels, exploration: { found } }: Explored): Promise<void> {
  if (found !== null) await follow([...labels, ...found.labels]);
}

/** Another scene has other orders; another run of this one, other shares. */
export function watchRuns(): void {
  let explored = scene.value;
  effect(() => {
    if (scene.value === explored) return;
    explored = scene.value;
    explorations.value = [];
    stopExploring();
    chosenSide.value = null;
    wantsFaults.value = null;
  });
  effect(() => {
    if (branch.value === undefined || isBusy.value) return;
    if (!isExploring.value && counted !== branch.value) untracked(countAgain);
  });
}
