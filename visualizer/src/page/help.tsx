/**
 * @module help: the keys, and the switch that turns single letters off (WCAG 2.1.4).
 */
import { signal } from '@preact/signals';

export const hasLetterKeys = signal(true);

const keys: readonly (readonly [string, string])[] = [
  ['← →', 'step back, step on'],
  ['Shift ← →', 'previous, next step at which something of the picked server moves'],
  ['Home End', 'the beginning, the end'],
  ['Space', 'play'],
  ['1 … 9', 'deliver that message'],
  ['x', 'drop the message that has the focus'],
  ['r', 'run to end'],
  ['e', 'explore every order'],
  ['v', 'next violation'],
  ['c', 'the step at which the two runs part'],
  ['i', 'context of what is shown: what it knows, and why it does what it does'],
  ['w s a d', 'lanes: nearer, farther, left, right'],
  ['/', 'to the messages in flight; in a recording, to its search'],
  ['n N', 'next, previous record that has what is searched for'],
  ['Esc', 'closes an explanation; else back to the end'],
  ['Tab', 'in a chart: to its arrows, each explained; ← → for the next one'],
  ['+ − 0 f', 'in a chart: larger, smaller, as at first, all of it; arrows move it'],
  ['p', 'presentation: for a projector, and back'],
  ['?', 'this list'],
];

function dialog(): HTMLDialogElement | null {
  return document.querySelector('dialog');
}

export function openHelp(): void {
  dialog()?.showModal();
}

export function Help() {
  return (
    <dialog aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl>
        {keys.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label>
        <input
          type="checkbox"
          checked={hasLetterKeys.value}
          onChange={({ currentTarget }) => {
            hasLetterKeys.value = currentTarget.checked;
          }}
        />{' '}
        letters and digits are keys
      </label>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
