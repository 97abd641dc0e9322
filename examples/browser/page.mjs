/**
 * Notes that stay in this browser: a grid of the page's own, in IndexedDB. Several tabs may write at
 * the same time.
 */
import { openBrowserGrid } from 'tahoe-mutable/browser';

const [form] = document.forms;
const list = document.querySelector('ul');
const status = document.querySelector('[role=status]');

const grid = await openBrowserGrid({ name: 'notes' });
// The key to the notes. Whoever can run a script on this site can read it here.
const cap = localStorage.getItem('notes');
const file = cap === null ? await grid.create() : grid.open(cap);
if (cap === null) localStorage.setItem('notes', file.writeCap);

const notesIn = (contents) => new TextDecoder().decode(contents).split('\n').filter(Boolean);

function show(notes, what) {
  list.replaceChildren(
    ...notes.map((note) => Object.assign(document.createElement('li'), { textContent: note })),
  );
  status.textContent = what;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const note = new FormData(form).get('note').trim();
  status.textContent = 'keeping…';
  try {
    await file.modify((contents) => {
      const notes = notesIn(contents);
      return notes.includes(note) ? undefined : [...notes, note, ''].join('\n');
    });
    form.reset();
    show(notesIn(await file.read()), 'kept');
  } catch (error) {
    status.textContent = `not kept: ${error.message}`;
  }
});

show(notesIn(await file.read()), 'ready');
