/**
 * @module main: the page begins.
 */
import { effect } from '@preact/signals';
import { render } from 'preact';
// First: what a panel says of itself comes after what all panels share.
import './page/style.css';
import { wanted } from './connection-store.ts';
import { App } from './page/app.tsx';
import { start } from './store.ts';
import { startTalk } from './talk.ts';

render(<App />, document.getElementById('page') as HTMLElement);
startTalk();
// What watches a process is loaded when there is one.
effect(() => {
  const { value: address } = wanted;
  if (address !== null) void import('./live-store.ts').then(({ watch }) => watch(address));
});
void start();
