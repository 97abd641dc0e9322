/**
 * @module operations-panel: the operations of a recording: words and filters to find some, and the
 * tree of what was found. Below it the one that is selected (operation-panel).
 */
import { outcomeKinds, outcomeOf, shortFile } from '../model/operation-tree.ts';
import type { Filters } from '../model/search.ts';
import { choices, filters, found, goToHit, nameOfServer } from '../recording-store.ts';
import { at, recording } from '../store.ts';
import { OperationPanel } from './operation-panel.tsx';
import { OperationTree } from './operation-tree.tsx';

export function OperationsPanel() {
  if (recording.value === null) return null;
  const { model } = recording.value;
  const [count, all] = [found.value.operations.length, model.run.operations.size];
  return (
    <section class="panel recorded" aria-labelledby="operations-title">
      <h2 id="operations-title">
        Operations{' '}
        <output class="count">
          {count === all ? all.toLocaleString('en') : `${count} of ${all.toLocaleString('en')}`}
          {all === 1 ? ' operation' : ' operations'}
        </output>
      </h2>
      <Search />
      <FilterRow />
      <OperationTree />
      <OperationPanel />
    </section>
  );
}

function change(changed: Partial<Filters>): void {
  filters.value = { ...filters.value, ...changed };
}

function Search() {
  const { hits } = found.value;
  const { text } = filters.value;
  const place = hits.indexOf(at.value) + 1;
  return (
    <div class="search">
      <input
        type="search"
        aria-label="Search in operations"
        placeholder="operation, server, error, state…"
        value={text}
        onInput={({ currentTarget }) => change({ text: currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') goToHit(event.shiftKey ? -1 : 1);
        }}
      />
      {text.trim() !== '' && (
        <>
          <button
            type="button"
            class="small"
            aria-label="Previous hit"
            title="Previous hit (N)"
            disabled={hits.length === 0}
            onClick={() => goToHit(-1)}
          >
            ↑
          </button>
          <button
            type="button"
            class="small"
            aria-label="Next hit"
            title="Next hit (n)"
            disabled={hits.length === 0}
            onClick={() => goToHit(1)}
          >
            ↓
          </button>
          <output class="count">
            {place > 0 ? `hit ${place} of ` : ''}
            {hits.length.toLocaleString('en')}
            {place > 0 ? '' : hits.length === 1 ? ' hit' : ' hits'}
          </output>
        </>
      )}
    </div>
  );
}

function FilterRow() {
  const { files, servers } = choices.value;
  const { file, server, outcome } = filters.value;
  const { isLive = false } = recording.value ?? {};
  return (
    <div class="filters">
      <Choice
        label="File"
        all="all files"
        value={file}
        options={files.map((name) => [name, shortFile(name)])}
        onChange={(chosen) => change({ file: chosen })}
      />
      <Choice
        label="Server"
        all="all servers"
        value={server}
        options={servers.map((id) => [id, nameOfServer(id)])}
        onChange={(chosen) => change({ server: chosen })}
      />
      <Choice
        label="Outcome"
        all="all outcomes"
        value={outcome}
        options={outcomeKinds.map((kind) => [kind, outcomeOf({ outcome: kind }, isLive).word])}
        onChange={(chosen) => change({ outcome: chosen as Filters['outcome'] })}
      />
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly all: string;
  readonly value: string | null;
  /** Values and words. */
  readonly options: readonly (readonly [string, string])[];
  readonly onChange: (value: string | null) => void;
}

/** Values are told by their place: one may be called anything. */
function Choice({ label, all, value, options, onChange }: ChoiceProps) {
  return (
    <select
      aria-label={label}
      value={String(options.findIndex(([name]) => name === value))}
      onChange={({ currentTarget }) => onChange(options[Number(currentTarget.value)]?.[0] ?? null)}
    >
      <option value="-1">{all}</option>
      {options.map(([name, words], i) => (
        <option key={name} value={String(i)}>
          {words}
        </option>
      ))}
    </select>
  );
}
