/**
 * @module link: the whole view in the address: `#p=2034&c=0.3.2&at=5`, or `w=` for a scene that is
 * no preset. Choices are indices among what could happen at each step.
 */
import type { Scene } from '../engine/protocol.ts';

export interface Link {
  readonly preset: string | null;
  readonly scene: Scene | null;
  /** Null: the preset's own. */
  readonly path: readonly number[] | null;
  readonly at: number | null;
  /** `127.0.0.1:PORT/TOKEN` of a run to watch. */
  readonly live: string | null;
  /** `talk`: for a projector. */
  readonly view?: 'talk' | undefined;
}

export function readLink(hash: string): Link {
  const fields = new URLSearchParams(hash.replace(/^#\/?/, ''));
  const path = fields.get('c');
  const at = Number.parseInt(fields.get('at') ?? '', 10);
  const world = fields.get('w');
  return {
    preset: fields.get('p'),
    scene: world === null ? null : (fromBase64(world) as Scene),
    path: path === null ? null : path.split('.').filter(Boolean).map(Number),
    at: Number.isNaN(at) ? null : at,
    live: fields.get('live'),
    view: fields.get('view') === 'talk' ? 'talk' : undefined,
  };
}

export function writeLink({ preset, scene, path, at, view }: Omit<Link, 'live'>): string {
  const parts = [preset === null ? `w=${toBase64(scene)}` : `p=${encodeURIComponent(preset)}`];
  if (path !== null) parts.push(`c=${path.join('.')}`);
  if (at !== null) parts.push(`at=${at}`);
  if (view !== undefined) parts.push(`view=${view}`);
  return `#${parts.join('&')}`;
}

function toBase64(value: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64(text: string): unknown {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}
