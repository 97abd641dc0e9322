/**
 * @module header: presets, and what can be done with a run as a whole.
 */
import { type Preset, presets } from '../presets.ts';
import {
  branch,
  finish,
  isBusy,
  isPresent,
  openPreset,
  preset,
  recording,
  scenarios,
} from '../store.ts';
import { isTalk, toggleTalk } from '../talk.ts';
import { inTurn } from '../turns.ts';
import { openFile, saveRun } from './files.ts';
import { openHelp } from './help.tsx';

export function Header() {
  const isRecording = recording.value !== null;
  const onPreset = ({ currentTarget }: { currentTarget: HTMLSelectElement }) => {
    const all = [...presets, ...scenarios.value];
    const chosen = all.find(({ id }) => id === currentTarget.value);
    if (chosen !== undefined) void openPreset(chosen);
  };
  return (
    <header>
      <h1>
        <img src="./icon.svg" alt="" width="20" height="20" /> tahoe-mutable
      </h1>
      <label class="preset">
        <span class="hidden">Scene</span>
        <select value={preset.value?.id ?? ''} onChange={onPreset}>
          {preset.value === null && (
            <option value="">{recording.value?.title ?? 'a run of yours'}</option>
          )}
          <Presets label="Scenes" list={presets} />
          {scenarios.value.length > 0 && <Presets label="Scenarios" list={scenarios.value} />}
        </select>
      </label>
      <div class="actions">
        <button
          type="button"
          disabled={isRecording}
          aria-disabled={isBusy.value}
          onClick={() => inTurn(finish)}
          title="Everything else in order, without faults (r)"
        >
          {isPresent.value ? 'Run to end' : 'Run to end from here'}
        </button>
        <button type="button" disabled={!isRecording && !branch.value} onClick={saveRun}>
          Save
        </button>
        <button type="button" onClick={openFile} title="A saved run, or a trace (JSON lines)">
          Open…
        </button>
        <button
          type="button"
          aria-pressed={isTalk.value}
          onClick={toggleTalk}
          title="Charts for a projector (p)"
        >
          Present
        </button>
        <button type="button" onClick={openHelp} title="Keys (?)">
          Keys
        </button>
      </div>
    </header>
  );
}

function Presets({ label, list }: { readonly label: string; readonly list: readonly Preset[] }) {
  return (
    <optgroup label={label}>
      {list.map(({ id, title }) => (
        <option key={id} value={id}>
          {title}
        </option>
      ))}
    </optgroup>
  );
}
