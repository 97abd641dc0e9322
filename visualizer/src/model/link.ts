/**
 * @module link: the whole view in the address. `#v=2&p=2034&s=start.w1,d.w1.s0.list&at=1`.
 *
 * | field | what |
 * | --- | --- |
 * | `v` | version of this format |
 * | `p` | id of a scene or scenario; or `w`: a scene of one's own, JSON in base64url |
 * | `s` | the choices by name, words joined by dots, `d` for `deliver`; none: the scene's own |
 * | `at` | step that is looked at; none: the last one |
 * | `tab`, `card` | actors that are picked: a coordinator, and a child of it |
 * | `view` | `talk`: for a projector |
 * | `file` | name of a recording that was open: it has to be opened again |
 * | `live` | `127.0.0.1:PORT/TOKEN` of a run to watch |
 *
 * Version 1 had no `v`, and `c` for `s`: numbers among what could happen at each step. It is read
 * as far as it can be. What cannot be read is told, and the rest is kept.
 */
import type { Scene } from '../engine/protocol.ts';
import { quoted } from './quoted.ts';
import { problemOfScene } from './scene-problem.ts';

/** A choice by its label; in links of version 1, by its number. */
export type LinkStep = string | number;

export interface Link {
  readonly preset: string | null;
  readonly scene: Scene | null;
  /** Null: the preset's own. */
  readonly steps: readonly LinkStep[] | null;
  readonly at: number | null;
  readonly tab: string | null;
  readonly card: string | null;
  readonly view: 'talk' | null;
  readonly file: string | null;
  readonly live: string | null;
}

export interface ReadLink extends Link {
  /** Sentences about what could not be read. */
  readonly problems: readonly string[];
}

const version = 2;

/** Never throws: what is wrong is in `problems`. */
export function readLink(hash: string): ReadLink {
  const problems: string[] = [];
  const fields = fieldsOf(hash);
  const text = (name: string): string | null => {
    const raw = fields.get(name);
    return raw === undefined ? null : decoded(raw, name, problems);
  };
  const wanted = fields.get('v');
  if (wanted !== undefined && wanted !== String(version)) {
    problems.push(
      `The link says that it is of version ${quoted(wanted)}; this page reads ${version}.`,
    );
  }
  const scene = sceneFrom(fields.get('w'), problems);
  return {
    preset: nameFrom(text('p'), problems),
    scene,
    steps: stepsFrom(fields.get('s'), fields.get('c'), problems),
    at: numberFrom(fields.get('at'), problems),
    tab: text('tab'),
    card: text('card'),
    view: fields.get('view') === 'talk' ? 'talk' : null,
    file: text('file'),
    live: addressFrom(text('live'), problems),
    problems,
  };
}

export function writeLink(link: Partial<Link>): string {
  const { preset = null, scene = null, steps = null, at = null, view = null } = link;
  const fields: readonly (readonly [string, string | number | null | undefined])[] = [
    ['live', link.live],
    ['file', link.file],
    ['v', link.live == null && link.file == null ? version : null],
    ['p', preset],
    ['w', preset === null && scene !== null ? toBase64(scene) : null],
    ['s', steps?.map(stepText).join(',')],
    ['at', at],
    ['tab', link.tab],
    ['card', link.card],
    ['view', view],
  ];
  const parts = fields.flatMap(([name, value]) => {
    if (value === null || value === undefined) return [];
    return [`${name}=${name === 's' ? value : plainly(String(value))}`];
  });
  return `#${parts.join('&')}`;
}

/** Of several sentences: those that name no step, then those that do, in the order of the steps. */
export function inOrderOfSteps(problems: readonly string[]): readonly string[] {
  const stepOf = (problem: string) => Number(/\bstep (\d+)/i.exec(problem)?.[1] ?? -1);
  return [...problems].sort((one, other) => stepOf(one) - stepOf(other));
}

// --- fields ---------------------------------------------------------------------------------------

/** As they are written: steps are taken apart before they are decoded. */
function fieldsOf(hash: string): ReadonlyMap<string, string> {
  const parts = hash.replace(/^#\/?/, '').split('&').filter(Boolean);
  return new Map(
    parts.map((part) => {
      const sign = part.indexOf('=');
      return sign < 0 ? [part, ''] : [part.slice(0, sign), part.slice(sign + 1)];
    }),
  );
}

function decoded(raw: string, name: string, problems: string[]): string | null {
  try {
    return decodeURIComponent(raw);
  } catch {
    problems.push(`${quoted(`${name}=${raw}`)} in the link is damaged.`);
    return null;
  }
}

function nameFrom(text: string | null, problems: string[]): string | null {
  if (text !== '') return text;
  problems.push('“p” in the link names no scene.');
  return null;
}

/** Of this machine, since nothing else is ever tried. */
function addressFrom(text: string | null, problems: string[]): string | null {
  if (text === null) return null;
  const [, port, token] = /^127\.0\.0\.1:(\d{1,5})\/([\w-]+)$/.exec(text) ?? [];
  if (token !== undefined && Number(port) > 0 && Number(port) < 2 ** 16) return text;
  problems.push(`${quoted(text)} in the link is not an address of this machine.`);
  return null;
}

function numberFrom(raw: string | undefined, problems: string[]): number | null {
  if (raw === undefined) return null;
  if (/^\d{1,9}$/.test(raw)) return Number(raw);
  problems.push(`${quoted(`at=${raw}`)} in the link is no step.`);
  return null;
}

/** Up to the first that is none. */
function stepsFrom(
  named: string | undefined,
  numbered: string | undefined,
  problems: string[],
): readonly LinkStep[] | null {
  if (named === undefined && numbered === undefined) return null;
  const texts = (named ?? numbered ?? '').split(named === undefined ? '.' : ',').filter(Boolean);
  const steps: LinkStep[] = [];
  for (const text of texts) {
    const step = named === undefined ? indexFrom(text) : labelFrom(text);
    if (step === null) {
      problems.push(
        `Step ${steps.length + 1} of the link, ${quoted(text)}, is none: it ends before.`,
      );
      break;
    }
    steps.push(step);
  }
  return steps;
}

function indexFrom(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function labelFrom(text: string): string | null {
  try {
    const words = text.split('.').map(decodeURIComponent);
    return (words[0] === 'd' ? ['deliver', ...words.slice(1)] : words).join(' ');
  } catch {
    return null;
  }
}

function stepText(step: LinkStep): string {
  const [verb = '', ...words] = String(step).split(' ');
  // Most choices are deliveries.
  return [verb === 'deliver' ? 'd' : verb, ...words].map(wordText).join('.');
}

function wordText(word: string): string {
  return plainly(word).replaceAll('.', '%2E');
}

/** Encoded, but for what is legible and safe in a fragment. */
function plainly(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%3A', ':');
}

// --- a scene of one's own -------------------------------------------------------------------------

function sceneFrom(raw: string | undefined, problems: string[]): Scene | null {
  if (raw === undefined) return null;
  let scene: unknown;
  try {
    scene = fromBase64(raw);
  } catch {
    problems.push('The scene in the link is damaged; perhaps its end is missing.');
    return null;
  }
  const problem = problemOfScene(scene);
  if (problem === null) return scene as Scene;
  problems.push(`The scene in the link cannot be shown: ${problem}.`);
  return null;
}

function toBase64(value: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64(text: string): unknown {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}
