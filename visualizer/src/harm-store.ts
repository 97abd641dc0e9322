/**
 * @module harm-store: what the step that is looked at leaves on the servers, side by side.
 */
import { computed } from '@preact/signals';
import { sidesNow } from './focus-store.ts';
import { differingServers, type Harm, harmsOf, writesOf } from './model/harm.ts';
import { frame, versionNames } from './store.ts';

export const sideHarms = computed<readonly (readonly Harm[])[]>(() =>
  (frame.value?.sides ?? []).map(({ servers }, side) => {
    const { model, position = 0 } = sidesNow.value[side] ?? {};
    return harmsOf(servers, writesOf(model?.records.slice(0, position) ?? []));
  }),
);

/** Servers that hold different things on the two sides. */
export const differing = computed<ReadonlySet<string>>(() => {
  const [one, other] = frame.value?.sides ?? [];
  if (one === undefined || other === undefined) return new Set();
  const plain = (side: number, version: string) =>
    versionNames.value[side]?.plain(version) ?? version;
  return differingServers(one.servers, other.servers, plain);
});
