/**
 * @module charts-panel: per side, the coordinator that is at work as a chart, its children as
 * cards, and the child that was picked as a chart too.
 */
import { summaryOf } from '../../../src/runtime/summary-of.ts';
import type { Mark, TraceModel, Track } from '../model/trace-model.ts';
import { isEnded, isManager, lookOf, markAt } from '../model/trace-model.ts';
import { at, focusedChild, focusedRoot, models, positionAt, recording, titles } from '../store.ts';
import { ActorTree } from './actor-tree.tsx';
import { ChartView } from './chart-view.tsx';
import { ContextPanel } from './context-panel.tsx';

export function ChartsPanel() {
  const all = models.value;
  // Read, so that live records redraw.
  void recording.value;
  return (
    <section class="panel charts" aria-label="Charts">
      {all.map((model, side) => (
        <SideCharts
          key={titles.value[side]}
          model={model}
          title={titles.value[side] ?? ''}
          position={positionAt(side, at.value)}
          before={positionAt(side, at.value - 1)}
          isAlone={all.length === 1}
        />
      ))}
    </section>
  );
}

interface SideProps {
  readonly model: TraceModel;
  readonly title: string;
  readonly position: number;
  readonly before: number;
  readonly isAlone: boolean;
}

function SideCharts({ model, title, position, before, isAlone }: SideProps) {
  const begun = model.coordinators.filter((root) => markAt(root, position) !== undefined);
  const root = begun.find(({ actor }) => actor === focusedRoot.value) ?? latest(begun, position);
  const children = root?.children.filter((child) => markAt(child, position) !== undefined) ?? [];
  const child = children.find(({ actor }) => actor === focusedChild.value);
  return (
    <div class="side">
      <h2>{title}</h2>
      {root !== undefined && <ActorTree model={model} shown={root} position={position} />}
      {root === undefined ? (
        <p class="none">Nothing has started: choose “start” on the right.</p>
      ) : (
        <div class="work">
          <div class="pictures">
            <TrackChart track={root} position={position} before={before} />
            {child !== undefined && isAlone && (
              <TrackChart track={child} position={position} before={before} />
            )}
          </div>
          <Cards root={root} position={position} before={before} child={child} />
          {child !== undefined && !isAlone && (
            <div class="pictures">
              <TrackChart track={child} position={position} before={before} />
            </div>
          )}
        </div>
      )}
      {root !== undefined && (
        <ContextPanel model={model} track={child ?? root} position={position} before={before} />
      )}
    </div>
  );
}

/** The coordinator that moved last; one that only invokes others if there is no other. */
function latest(begun: readonly Track[], position: number): Track | undefined {
  const moved = (track: Track) => markAt(track, position)?.position ?? 0;
  const last = (track: Track) => Math.max(moved(track), ...track.children.map(moved));
  const workers = begun.filter((track) => !isManager(track));
  const from = workers.length > 0 ? workers : begun;
  return [...from].sort((a, b) => last(a) - last(b)).at(-1);
}

interface TrackProps {
  readonly track: Track;
  readonly position: number;
  readonly before: number;
}

function TrackChart({ track, position, before }: TrackProps) {
  const mark = markAt(track, position);
  const taken = track.marks
    .filter((m) => m.position > before && m.position <= position)
    .flatMap(({ transitions }) => transitions);
  return (
    <ChartView
      chart={track.chart}
      actor={track.actor}
      state={mark?.state ?? ''}
      taken={taken}
      isEnded={isEnded(track, position)}
    />
  );
}

interface CardsProps {
  readonly root: Track;
  readonly position: number;
  readonly before: number;
  readonly child: Track | undefined;
}

/** One card per child, in the order of the servers, and one for every server not asked yet. */
function Cards({ root, position, before, child }: CardsProps) {
  const mark = markAt(root, position);
  const update = mark && summaryOf(mark, 'servermapUpdate');
  const begun = root.children.filter((c) => markAt(c, position) !== undefined);
  const byServer = new Map(begun.map((c) => [c.server ?? c.key, c]));
  const unasked = Object.keys(update?.statuses ?? {}).filter((id) => !byServer.has(id));
  if (begun.length === 0 && unasked.length === 0) return null;
  return (
    <ul class="cards" aria-label={`Children of ${root.actor}`}>
      {begun.map((track) => (
        <Card
          key={track.actor}
          track={track}
          mark={markAt(track, position) as Mark}
          isPicked={track === child}
          isMoved={(markAt(track, position)?.position ?? 0) > before}
        />
      ))}
      {unasked.map((id) => (
        <li key={id} class="card idle">
          <b>{id}</b> <span class="word">· unasked</span>
        </li>
      ))}
    </ul>
  );
}

interface CardProps {
  readonly track: Track;
  readonly mark: Mark;
  readonly isPicked: boolean;
  readonly isMoved: boolean;
}

function Card({ track, mark, isPicked, isMoved }: CardProps) {
  const { tone, shape } = lookOf(mark.state);
  const { shnums = [] } = summaryOf(mark, 'shareWrite') ?? {};
  const { shnum } = summaryOf(mark, 'blockRead') ?? {};
  const shares = (shnum === undefined ? shnums : [shnum]).map((n) => ` sh${n}`).join('');
  const verdicts = Object.entries(summaryOf(mark, 'serverQuery')?.judged ?? {}).map(
    ([n, words]) => `sh${n} ${words}`,
  );
  const name = `${track.server ?? track.key}${shares}`;
  return (
    <li class={`card ${tone} ${isMoved ? 'moved' : ''}`}>
      <button
        type="button"
        aria-pressed={isPicked}
        title={[name, ...verdicts].join('\n')}
        onClick={() => {
          focusedChild.value = isPicked ? null : track.actor;
        }}
      >
        <b>{name}</b>
        <span class="word">
          <i aria-hidden="true">{shape}</i> {mark.state}
        </span>
      </button>
    </li>
  );
}
