/**
 * @module properties-panel: every property: holding, or violated at a step, with a link to it.
 */

import type { Violation } from '../engine/protocol.ts';
import { goToActor } from '../focus-store.ts';
import { actorWords, trackNamed } from '../model/culprit.ts';
import { at, branch, frame, models, positionAt, shortTitles, titles } from '../store.ts';
import { Scroll } from './scroll.tsx';

export function PropertiesPanel() {
  // As of the end of the branch: what is violated later is worth knowing now.
  const sides = branch.value?.frames.at(-1)?.sides ?? [];
  const now = frame.value?.sides ?? [];
  const [first] = sides;
  const isBroken = (row: number) => sides.some(({ verdicts }) => verdicts[row]?.violation != null);
  const rows = (first?.verdicts ?? []).map((verdict, row) => ({ ...verdict, row }));
  // What is violated comes first, so that nobody has to look for it.
  rows.sort((a, b) => Number(isBroken(b.row)) - Number(isBroken(a.row)));
  const broken = rows.filter(({ row }) => isBroken(row)).length;
  return (
    <section class="panel properties" aria-labelledby="properties-title">
      <h2 id="properties-title">
        Properties{' '}
        <span class="count">
          {rows.length} judged at every step, {broken === 0 ? 'all hold' : `${broken} violated`}
        </span>
      </h2>
      <Scroll label="All properties">
        <table>
          <thead>
            <tr>
              <th scope="col">property</th>
              {sides.map((_, i) => (
                <th scope="col" key={titles.value[i]}>
                  {sides.length === 1 ? 'so far' : shortTitles.value[i]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ id, title, statement, row }) => (
              <tr key={id}>
                <th scope="row" title={statement}>
                  <b>{id}</b> {title}
                  {sides.map(({ verdicts }, i) => {
                    const { violation } = verdicts[row] ?? { violation: null };
                    return violation && <Culprit key={titles.value[i]} side={i} {...violation} />;
                  })}
                </th>
                {sides.map(({ verdicts }, i) => {
                  const { violation } = verdicts[row] ?? { violation: null };
                  const isNow = now[i]?.verdicts[row]?.violation != null;
                  if (violation === null) {
                    return (
                      <td key={titles.value[i]} class="good">
                        ✓ holds
                      </td>
                    );
                  }
                  return (
                    <td key={titles.value[i]}>
                      <button
                        type="button"
                        class="link bad"
                        title={violation.detail}
                        aria-current={at.value === violation.step ? 'step' : undefined}
                        onClick={() => goToActor(i, violation.step, violation.actor)}
                      >
                        {isNow ? '✗' : '(✗)'} violated at {violation.step}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

/** Whose chart broke it. */
function Culprit({ side, step, actor }: Violation & { readonly side: number }) {
  const model = models.value[side];
  const track = model && actor !== null && trackNamed(model, actor, positionAt(side, step));
  return track ? <span class="culprit">broken by {actorWords(track)}</span> : null;
}
