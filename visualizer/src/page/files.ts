/**
 * @module files: saving a run or a recording, and opening runs and traces by dialogue or by drop.
 *
 * A run (`.json`) is a scene and its choices: it is executed again. A trace (`.jsonl`) is what some
 * run recorded: it is shown as it is, and saved as it came.
 */
import type { ReadTrace } from '../../../src/inspector/read-trace.ts';
import { notice, openRecording, openRun, recording, type SavedRun, savedRun } from '../store.ts';

/** The recording that is shown as JSON lines, or the run and its choices. */
export function saveRun(): void {
  const { value } = recording;
  const run = savedRun();
  if (value !== null) {
    const lines = value.model.records.map((record) => `${JSON.stringify(record)}\n`);
    const name = value.title.endsWith('.jsonl') ? value.title : 'run.jsonl';
    save(name, new Blob(lines, { type: 'application/jsonl' }));
  } else if (run !== null) {
    const text = `${JSON.stringify(run, null, 2)}\n`;
    save('run.json', new Blob([text], { type: 'application/json' }));
  }
}

export function saveText(name: string, text: string, type = 'text/plain'): void {
  save(name, new Blob([text], { type }));
}

function save(name: string, blob: Blob): void {
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
    await open(file);
  } catch (error) {
    notice.value = `${file.name} could not be opened: ${(error as Error).message}`;
  }
}

const again = 'Record the run again with this version, or open it with the version that wrote it.';

async function open(file: File): Promise<void> {
  const { name } = file;
  const read = await readTraceFile(file);
  if (read.kind === 'trace' && read.records.length > 0) {
    openRecording(name, read.records);
    if (read.note !== null) notice.value = `${name}: ${read.note}. All before it is shown.`;
    return;
  }
  const run = file.size <= runMax ? asRun(await file.text()) : undefined;
  if (run !== undefined) return openRun(run.scene, run.choices);
  // What is shown stays.
  notice.value = refusal(name, read);
}

/** In bytes: a saved run is a scene and its choices. */
const runMax = 64 * 1024 * 1024;

/** Piece by piece: a trace may be longer than any text. */
async function readTraceFile(file: File): Promise<ReadTrace> {
  const { TraceReader } = await import('../../../src/inspector/read-trace.ts');
  const reader = new TraceReader();
  const pieces = file.stream().getReader();
  for (;;) {
    const { done, value } = await pieces.read();
    if (!done && reader.add(value)) continue;
    await pieces.cancel();
    return reader.end();
  }
}

function refusal(name: string, read: ReadTrace): string {
  if (read.kind === 'trace') return `${name}: ${read.note}. There is nothing to show.`;
  const { problem } = read;
  if (!problem.startsWith('line ')) return `${name} ${problem}.`;
  const isOld = problem.startsWith('line 1:');
  return `${name} is neither a run nor a trace that opens here: ${problem}.${isOld ? ` ${again}` : ''}`;
}

function asRun(text: string): SavedRun | undefined {
  try {
    const value = JSON.parse(text) as SavedRun;
    return value.format === 'tahoe-mutable-run 1' ? value : undefined;
  } catch {
    return undefined;
  }
}
