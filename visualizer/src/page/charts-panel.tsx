/**
 * @module charts-panel: per side, the coordinator that is at work as a chart, its children as
 * cards, and the child that was picked as a chart too.
 */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { summaryOf } from '../../../src/runtime/summary-of.ts';
import { differenceOf, differingCharts, focus, sidesNow } from '../focus-store.ts';
import { actorWords } from '../model/culprit.ts';
import { type Discard, discardOf } from '../model/ending.ts';
import { type SideAt, shownOn } from '../model/focus.ts';
import type { Mark, Track } from '../model/trace-model.ts';
import { isEnded, lookOf, markAt } from '../model/trace-model.ts';
import { nameOfServer, withNames } from '../recording-store.ts';
import { at, focusedChild, positionAt, recording, shortTitles, titles } from '../store.ts';
import { ActorTree } from './actor-tree.tsx';
import { ChartView } from './chart-view.tsx';
import { ContextPanel } from './context-panel.tsx';
import { DifferenceLegend, marksOf } from './difference-legend.tsx';
import { showIn } from './show-in.ts';
import { SideWords } from './side-words.tsx';

export function ChartsPanel() {
  const all = sidesNow.value;
  return (
    <section class="panel charts" aria-label="Charts">
      {all.map((now, side) => (
        <SideCharts
          key={titles.value[side]}
          side={side}
          now={now}
          before={positionAt(side, at.value - 1)}
          isAlone={all.length === 1}
        />
      ))}
    </section>
  );
}

interface SideProps {
  readonly side: number;
  readonly now: SideAt;
  readonly before: number;
  readonly isAlone: boolean;
}

function SideCharts({ side, now, before, isAlone }: SideProps) {
  const { model, position } = now;
  const root = shownOn(now, focus.value);
  const children = root?.children.filter((child) => markAt(child, position) !== undefined) ?? [];
  const child = children.find(({ actor }) => actor === focusedChild.value);
  const picture = (track: Track) => (
    <TrackChart side={side} track={track} now={now} before={before} />
  );
  return (
    <div class="side">
      <div class="side-head">
        <h2>{titles.value[side]}</h2>
        {root !== undefined && <ActorTree model={model} shown={root} position={position} />}
        <SideWords side={side} now={now} before={before} shown={root} />
      </div>
      {root === undefined ? (
        <Unbegun side={side} />
      ) : (
        <div class="work">
          {/* As they are seen, so that Tab goes as the eye does: children, pictures. */}
          <Cards root={root} now={now} before={before} child={child} />
          <div class="pictures">
            {picture(root)}
            {child !== undefined && isAlone && picture(child)}
          </div>
          {child !== undefined && !isAlone && <div class="pictures picked">{picture(child)}</div>}
        </div>
      )}
      {root !== undefined && (
        <ContextPanel
          model={now.model}
          track={child ?? root}
          whose={whose(side)}
          position={now.position}
          before={before}
        />
      )}
    </div>
  );
}

/** Behind a name that both sides have: `, old`. */
function whose(side: number): string {
  return titles.value.length > 1 ? `, ${shortTitles.value[side]}` : '';
}

/** Before anything has begun: in what the two sides will differ. */
function Unbegun({ side }: { readonly side: number }) {
  return (
    <div class="unbegun">
      <p class="none">
        {recording.value === null
          ? 'Nothing has started: choose “start” on the right.'
          : 'No chart has begun yet.'}
      </p>
      {differingCharts.value[side]?.map((chart) => {
        const difference = differenceOf(side, chart);
        return (
          <div class="picture" key={chart}>
            <DifferenceLegend side={side} difference={difference} takenAt={null} />
            <ChartView
              chart={chart}
              drawnAs={drawnAs(chart, difference)}
              actor={chart}
              whose={whose(side)}
              state="not begun"
              taken={[]}
              isEnded={false}
              marks={marksOf(difference)}
            />
          </div>
        );
      })}
    </div>
  );
}

/** With everything of both in one place, so that the eye finds what is missing. */
function drawnAs(chart: string, difference: ReturnType<typeof differenceOf>): string {
  return difference !== undefined && difference.extra.length === 0 ? difference.other : chart;
}

interface TrackProps {
  readonly side: number;
  readonly track: Track;
  readonly now: SideAt;
  readonly before: number;
}

function TrackChart({ side, track, now, before }: TrackProps) {
  const { model, position } = now;
  const mark = markAt(track, position);
  const taken = track.marks
    .filter((m) => m.position > before && m.position <= position)
    .flatMap(({ transitions }) => transitions);
  const difference = differenceOf(side, track.chart);
  const extra = difference?.extra.map(({ id }) => id) ?? [];
  const took = track.marks.find(
    (m) => m.position <= position && m.transitions.some((id) => extra.includes(id)),
  );
  return (
    <div class="picture">
      <DifferenceLegend side={side} difference={difference} takenAt={took?.column ?? null} />
      <ChartView
        chart={track.chart}
        drawnAs={drawnAs(track.chart, difference)}
        actor={track.actor}
        whose={whose(side)}
        state={mark?.state ?? ''}
        taken={taken}
        isEnded={isEnded(track, position)}
        ending={discardOf(track, model, position)?.words}
        marks={marksOf(difference)}
      />
    </div>
  );
}

interface CardsProps {
  readonly root: Track;
  readonly now: SideAt;
  readonly before: number;
  readonly child: Track | undefined;
}

/** One card per child, in the order of the servers, and one for every server not asked yet. */
function Cards({ root, now, before, child }: CardsProps) {
  const { model, position } = now;
  const mark = markAt(root, position);
  const update = mark && summaryOf(mark, 'servermapUpdate');
  const begun = root.children.filter((c) => markAt(c, position) !== undefined);
  const byServer = new Map(begun.map((c) => [c.server ?? c.key, c]));
  const unasked = Object.keys(update?.statuses ?? {}).filter((id) => !byServer.has(id));
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    showIn(list.current, '.thrown.bad') || showIn(list.current, '.moved');
  }, [position, root]);
  if (begun.length === 0 && unasked.length === 0) return null;
  return (
    <ul class="cards" ref={list} aria-label={`Children of ${root.actor}`}>
      {begun.map((track) => (
        <Card
          key={track.actor}
          track={track}
          mark={markAt(track, position) as Mark}
          isPicked={track === child}
          discard={discardOf(track, model, position)}
          isMoved={(markAt(track, position)?.position ?? 0) > before}
        />
      ))}
      {unasked.map((id) => (
        <li key={id} class="card idle" title={id}>
          <b>{nameOfServer(id)}</b> <span class="word">· unasked</span>
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
  /** What became of it, when it was stopped at work. */
  readonly discard: Discard | undefined;
}

function Card({ track, mark, isPicked, isMoved, discard }: CardProps) {
  const look = lookOf(mark.state);
  const { tone, shape } = discard === undefined ? look : stoppedLook(discard);
  const { shnums = [] } = summaryOf(mark, 'shareWrite') ?? {};
  const { shnum } = summaryOf(mark, 'blockRead') ?? {};
  const shares = (shnum === undefined ? shnums : [shnum]).map((n) => ` sh${n}`).join('');
  const verdicts = Object.entries(summaryOf(mark, 'serverQuery')?.judged ?? {}).map(
    ([n, words]) => `sh${n} ${words}`,
  );
  const server = track.server ?? track.key;
  const name = `${nameOfServer(server)}${shares}`;
  return (
    <li class={`card ${tone} ${isMoved ? 'moved' : ''}`}>
      <button
        type="button"
        aria-pressed={isPicked}
        title={[name, ...verdicts, withNames(actorWords(track)), track.actor].join('\n')}
        onClick={() => {
          focusedChild.value = isPicked ? null : track.actor;
        }}
      >
        <b>{name}</b>
        <span class="word">
          <i aria-hidden="true">{shape}</i> {discard?.words ?? mark.state}
        </span>
      </button>
    </li>
  );
}

/** Of a child that was stopped at work: it goes on no more. */
function stoppedLook({ isThrownAway }: Discard) {
  return isThrownAway ? { tone: 'bad thrown', shape: '✗' } : { tone: 'empty thrown', shape: '□' };
}
