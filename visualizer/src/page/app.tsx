/**
 * @module app: where the parts of the page are.
 */
import { useEffect } from 'preact/hooks';
import { recording } from '../store.ts';
import { Announcer } from './announcer.tsx';
import { ChartsPanel } from './charts-panel.tsx';
import { ExplorePanel } from './explore-panel.tsx';
import { onDragOver, onDrop } from './files.ts';
import { FlightPanel } from './flight-panel.tsx';
import { GridPanel } from './grid-panel.tsx';
import { Header } from './header.tsx';
import { Help } from './help.tsx';
import { keepFocus } from './keep-focus.ts';
import { onKey } from './keys.ts';
import { Later } from './later.tsx';
import { PropertiesPanel } from './properties-panel.tsx';
import { Story } from './story.tsx';
import { TimePanel } from './time-panel.tsx';
import './contrast.css';
import './layout.css';
// Lanes of any run; the parts that only recordings have come with one.
import './recording.css';
import './talk.css';

export function App() {
  useEffect(() => {
    addEventListener('keydown', onKey);
    addEventListener('dragover', onDragOver);
    addEventListener('drop', onDrop);
    return () => {
      removeEventListener('keydown', onKey);
      removeEventListener('dragover', onDragOver);
      removeEventListener('drop', onDrop);
    };
  }, []);
  useEffect(keepFocus, []);
  const isRecording = recording.value !== null;
  return (
    <>
      <Header />
      {/* Places: `left`, `right` (a column of panels); layout.css. */}
      <main>
        <Story />
        {isRecording ? (
          <Later load={operations} />
        ) : (
          <div class="left">
            <GridPanel />
            <ExplorePanel />
          </div>
        )}
        <ChartsPanel />
        <div class="right">
          {!isRecording && <FlightPanel />}
          {isRecording ? <Later load={judged} /> : <PropertiesPanel />}
        </div>
        <TimePanel />
      </main>
      <Announcer />
      <Help />
    </>
  );
}

const operations = () =>
  import('./operations-panel.tsx').then(({ OperationsPanel }) => OperationsPanel);
const judged = () => import('./judged-panel.tsx').then(({ JudgedPanel }) => JudgedPanel);
