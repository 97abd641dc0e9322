/**
 * @module connection: how the page stands to the process that it watches, in words, and what of the
 * run is not shown.
 */
import { connection, lookAgain, missing } from '../connection-store.ts';
import { attemptsMax, wordsOfConnection, wordsOfMissing } from '../model/connection.ts';
import './connection.css';

const shapes = { good: '●', busy: '◌', bad: '✗' } as const;

export function ConnectionLine() {
  const { value } = connection;
  if (value === null) return null;
  const { state, detail, tone } = wordsOfConnection(value);
  const isGivenUp = value.kind === 'gone' && value.attempt >= attemptsMax;
  return (
    <>
      <p class={`connection ${tone}`} role="status">
        <i aria-hidden="true">{shapes[tone]}</i> <b>{state}</b>
        {detail === '' ? '' : `. ${detail}`}
        {isGivenUp && (
          <button type="button" onClick={lookAgain.value}>
            Look again
          </button>
        )}
      </p>
      {wordsOfMissing(missing.value).map((words) => (
        <p key={words} class="connection">
          {words}
        </p>
      ))}
    </>
  );
}
