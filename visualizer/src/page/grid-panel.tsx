/**
 * @module grid-panel: who holds what, who is up, where two sides differ, and what is wrong there.
 */
import type { ServerView } from '../../../src/simulation/world.ts';
import type { OfferedChoice } from '../engine/protocol.ts';
import { showsFaults } from '../explore-store.ts';
import { differing, sideHarms } from '../harm-store.ts';
import { act, at, branch, frame, shortTitles, titles, versionNames } from '../store.ts';
import { Scroll } from './scroll.tsx';

export function GridPanel() {
  const { sides = [], choices = [] } = frame.value ?? {};
  const before = branch.value?.frames[at.value - 1]?.sides ?? [];
  const [first] = sides;
  return (
    <section class="panel grid" aria-labelledby="grid-title">
      <h2 id="grid-title">Grid</h2>
      <Scroll label="Servers and operations">
        <table>
          <thead>
            <tr>
              <th scope="col">server</th>
              {sides.map((_, i) => (
                <th scope="col" key={titles.value[i]}>
                  {shortTitles.value[i]}
                </th>
              ))}
              <th scope="col">
                <span class="hidden">actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {first?.servers.flatMap(({ id }, row) => [
              <tr key={id} class={differing.value.has(id) ? 'differs' : ''}>
                <th scope="row">
                  {id}
                  {differing.value.has(id) && (
                    <span class="unequal" title="The two sides hold different things here">
                      <i aria-hidden="true">≠</i>
                      <span class="hidden">, not the same on both sides</span>
                    </span>
                  )}
                </th>
                {sides.map(({ servers }, i) => (
                  <td key={titles.value[i]}>
                    <Holdings now={servers[row]} before={before[i]?.servers[row]} side={i} />
                  </td>
                ))}
                <td class="does">
                  {choices
                    .filter((c) => showsFaults.value && isOf(c, id))
                    .map((choice) => (
                      <button
                        key={choice.label}
                        type="button"
                        class="small"
                        aria-label={choice.label}
                        onClick={() => void act(choice)}
                      >
                        {choice.kind}
                      </button>
                    ))}
                </td>
              </tr>,
              ...harmsAt(id).map((words) => (
                <tr key={`${id} ${words}`} class="harm">
                  <td colSpan={sides.length + 2}>{words}</td>
                </tr>
              )),
            ])}
          </tbody>
        </table>
        <Operations />
      </Scroll>
    </section>
  );
}

/** What is wrong on a server, side by side: `✗ old: second share 2`. */
function harmsAt(id: string): readonly string[] {
  return sideHarms.value.flatMap((harms, side) =>
    harms
      .filter(({ server }) => server === id)
      .map(({ words, isSettled }) => {
        const whose = sideHarms.value.length > 1 ? `${shortTitles.value[side]}: ` : '';
        return isSettled ? `✗ ${whose}${words}` : `${whose}${words}, for now`;
      }),
  );
}

function isOf({ kind, server, message, shnum }: OfferedChoice, id: string): boolean {
  const isShown = kind === 'crash' || kind === 'restart';
  return isShown && server === id && message === undefined && shnum === undefined;
}

function Holdings({
  now,
  before,
  side,
}: {
  now?: ServerView | undefined;
  before?: ServerView | undefined;
  side: number;
}) {
  if (now === undefined) return null;
  const shares = Object.entries(now.shares);
  return (
    <>
      {!now.isUp && <span class="tag bad">✗ down</span>}
      {now.isPartitioned && <span class="tag bad">cut off</span>}
      {shares.map(([shnum, what]) => {
        const isNew = before !== undefined && before.shares[Number(shnum)] !== what;
        return (
          <span key={shnum} class={isNew ? 'tag share new' : 'tag share'} title={what}>
            sh{shnum} <b>{versionNames.value[side]?.plain(what)}</b>
          </span>
        );
      })}
      {shares.length === 0 && now.isUp && <span class="none">none</span>}
    </>
  );
}

function Operations() {
  const { sides = [] } = frame.value ?? {};
  return (
    <ul class="operations" aria-label="Operations">
      {sides.map(({ operations }, i) =>
        operations.map(({ spec, status, result }) => (
          <li key={`${titles.value[i]} ${spec.name}`}>
            <b>{spec.name}</b> {spec.task.kind}
            {sides.length > 1 ? ` (${shortTitles.value[i]})` : ''}: {status}
            {result !== undefined && (result.ok ? ' well' : `: ${result.error}`)}
          </li>
        )),
      )}
    </ul>
  );
}
