/**
 * @module focus-store: which charts are looked at, on both sides the same, and in what they differ.
 */
import { computed } from '@preact/signals';
import type { ChartTransition } from '../../src/inspector/chart.ts';
import { pictures } from './charts.ts';
import { onlyIn } from './model/chart-difference.ts';
import { coordinatorOf, trackNamed } from './model/culprit.ts';
import { focusOf, type SideAt } from './model/focus.ts';
import {
  at,
  difference,
  focusedChild,
  focusedRoot,
  frame,
  goTo,
  growth,
  models,
  positionAt,
  recording,
  scene,
  violations,
} from './store.ts';

const oldSuffix = ' (old rule)';

/** Per side, what is there at the step that is looked at. */
export const sidesNow = computed<readonly SideAt[]>(() => {
  void growth.value;
  return models.value.map((model, side) => ({ model, position: positionAt(side, at.value) }));
});

/** How a side's chart differs from what the other side runs in its place. */
export interface ChartDifference {
  /** Of the other side's chart. */
  readonly other: string;
  readonly extra: readonly ChartTransition[];
  readonly missing: readonly ChartTransition[];
}

/** Nothing when both sides run the same, or there is one side. */
export function differenceOf(side: number, chart: string): ChartDifference | undefined {
  const other = counterpart(side, chart);
  const [mine, theirs] = [pictures.value.get(chart), pictures.value.get(other ?? '')];
  if (other === undefined || mine === undefined || theirs === undefined) return undefined;
  const [one, two] = [mine.entry.chart, theirs.entry.chart];
  const [extra, missing] = [onlyIn(one, two), onlyIn(two, one)];
  return extra.length + missing.length === 0 ? undefined : { other, extra, missing };
}

/** What runs on the other side where this one has `chart`. */
function counterpart(side: number, chart: string): string | undefined {
  const other = scene.value?.sides[1 - side];
  if (other === undefined || recording.value !== null) return undefined;
  const base = chart.replace(oldSuffix, '');
  const isOld = other.options.operations.some(({ rule = 'ours' }) => rule !== 'ours');
  const isThere = isOld && pictures.value.has(`${base}${oldSuffix}`);
  const name = isThere ? `${base}${oldSuffix}` : base;
  return name === chart ? undefined : name;
}

/** Per side, the charts to show before anything has begun: those in which the sides differ. */
export const differingCharts = computed<readonly (readonly string[])[]>(() =>
  (scene.value?.sides ?? []).map((_, side) =>
    [...pictures.value.keys()].filter((chart) => differenceOf(side, chart) !== undefined),
  ),
);

/** Who breaks a property at the step that is looked at, per side. */
const culprits = computed(() =>
  (frame.value?.sides ?? []).map(({ verdicts }) => {
    const now = verdicts.find((v) => v.violation?.step === at.value && v.violation.actor !== null);
    return now?.violation?.actor ?? null;
  }),
);

/** Path of the coordinator that every side shows. */
export const focus = computed<string | null>(() =>
  focusOf(sidesNow.value, {
    chosen: focusedRoot.value,
    culprits: culprits.value,
    isDifferent: (chart) => models.value.some((_, side) => differenceOf(side, chart) !== undefined),
  }),
);

/** Goes to a step and puts an actor in view there; null: who moved last. */
export function goToActor(side: number, step: number, name: string | null): void {
  goTo(step);
  const model = models.value[side];
  const track = model && name !== null ? trackNamed(model, name, positionAt(side, at.value)) : null;
  focusedRoot.value = model && track ? coordinatorOf(model, track).actor : null;
  focusedChild.value = track?.isOneOfMany ? track.actor : null;
}

/** To where a side breaks a property first. */
export function goToViolation(side: number): void {
  const { violation } = violations.value[side] ?? {};
  if (violation) goToActor(side, violation.step, violation.actor);
}

/** To the step at which the sides part, with the chart in which they do. */
export function goToParting(): void {
  if (difference.value !== null) goToActor(0, difference.value, null);
}
