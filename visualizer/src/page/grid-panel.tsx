/**
 * @module grid-panel: who holds what, and who is up.
 */
import type { ServerView } from '../../../src/simulation/world.ts';
import type { OfferedChoice } from '../engine/protocol.ts';
import { showsFaults } from '../explore-store.ts';
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
            {first?.servers.map(({ id }, row) => (
              <tr key={id}>
                <th scope="row">{id}</th>
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
              </tr>
            ))}
          </tbody>
        </table>
        <Operations />
      </Scroll>
    </section>
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
