/**
 * @module actor-tree: who invoked whom: one root per operation, and below the chosen one all that
 * it has invoked. Children that talk to one server are the cards (charts-panel). Of a recording it
 * has the shown operation only: it has a panel for all of them (operations-panel).
 */
import { isEnded, markAt, type TraceModel, type Track } from '../model/trace-model.ts';
import { focusedRoot, recording } from '../store.ts';

interface TreeProps {
  readonly model: TraceModel;
  /** The coordinator whose chart is shown. */
  readonly shown: Track;
  readonly position: number;
}

export function ActorTree({ model, shown, position }: TreeProps) {
  const roots = model.roots.filter(
    (root) =>
      isBegun(root, position) && (recording.value === null || root.operation === shown.operation),
  );
  return (
    <ul class="actor-tree" aria-label="Operations, and what they have invoked">
      {roots.map((root) => (
        <Branch
          key={root.actor}
          track={root}
          shown={shown}
          position={position}
          isOpen={isAbove(root, shown)}
        />
      ))}
    </ul>
  );
}

interface BranchProps extends Omit<TreeProps, 'model'> {
  readonly track: Track;
  /** Whether what it has invoked is shown. */
  readonly isOpen: boolean;
}

function Branch({ track, shown, position, isOpen }: BranchProps) {
  const children = track.children.filter((it) => !it.isOneOfMany && isBegun(it, position));
  return (
    <li>
      <button
        type="button"
        class="small"
        title={track.actor}
        aria-pressed={track === shown}
        onClick={() => {
          focusedRoot.value = focusedRoot.value === track.actor ? null : track.actor;
        }}
      >
        {track.parent === null ? track.actor.replace('/', ' ') : track.key}
        {isEnded(track, position) ? ' ✓' : ''}
      </button>
      {isOpen && children.length > 0 && (
        <ul>
          {children.map((child) => (
            <Branch key={child.actor} track={child} shown={shown} position={position} isOpen />
          ))}
        </ul>
      )}
    </li>
  );
}

function isBegun(track: Track, position: number): boolean {
  return markAt(track, position) !== undefined;
}

function isAbove(root: Track, track: Track): boolean {
  return track === root || root.children.some((child) => isAbove(child, track));
}
