/**
 * @module files: saving a run, and opening runs and traces by dialogue or by drop.
 *
 * A run (`.json`) is a scene and its choices: it is executed again. A trace (`.jsonl`) is what some
 * run recorded: it is shown as it is.
 */
import type { TraceRecord } from '../../../src/simulation/world.ts';
import { notice, openRecording, openRun, type SavedRun, savedRun } from '../store.ts';

export function saveRun(): void {
  const run = savedRun();
  if (run === null) return;
  saveText('run.json', `${JSON.stringify(run, null, 2)}\n`, 'application/json');
}

export function saveText(name: string, text: string, type = 'text/plain'): void {
  const blob = new Blob([text], { type });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function openFile(): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = '.json,.jsonl';
  input.addEventListener('change', () => void readFile(input.files?.[0]));
  input.click();
}

export function onDragOver(event: DragEvent): void {
  event.preventDefault();
}

export function onDrop(event: DragEvent): void {
  event.preventDefault();
  void readFile(event.dataTransfer?.files[0]);
}

async function readFile(file: File | undefined): Promise<void> {
  if (file === undefined) return;
  try {
    await openText(file.name, await file.text());
  } catch (error) {
    notice.value = `${file.name} is neither a run nor a trace: ${(error as Error).message}`;
  }
}

async function openText(name: string, text: string): Promise<void> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const run = asRun(text);
  if (run !== undefined) return openRun(run.scene, run.choices);
  const records = lines.map((line) => JSON.parse(line) as TraceRecord);
  if (records.length === 0 || records.some(({ kind }) => typeof kind !== 'string')) {
    throw new Error('its lines are no trace records');
  }
  openRecording(name, records);
}

function asRun(text: string): SavedRun | undefined {
  try {
    const value = JSON.parse(text) as SavedRun;
    return value.format === 'tahoe-mutable-run 1' ? value : undefined;
  } catch {
    return undefined;
  }
}
