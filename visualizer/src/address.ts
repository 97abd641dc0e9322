/**
 * @module address: the address bar and its history. A deliberate move (another scene, another
 * branch) is an entry to come back to; going through time only changes the entry that is there.
 */

let isDeliberate = false;

/** What is written next becomes an entry of its own. */
export function markDeliberate(): void {
  isDeliberate = true;
}

export function writeAddress(hash: string): void {
  if (hash === location.hash) return;
  const isOwnEntry = isDeliberate && location.hash !== '';
  isDeliberate = false;
  try {
    if (isOwnEntry) history.pushState(null, '', hash);
    else history.replaceState(null, '', hash);
  } catch {
    // Browsers refuse more than about a hundred in half a minute: a later step writes it.
  }
}

/** Calls back when somebody goes back or forward, or changes the address. */
export function onAddress(follow: (hash: string) => void): void {
  addEventListener('popstate', () => follow(location.hash));
}

// --- branches, beyond a reload --------------------------------------------------------------------

/** A branch by its choices. */
export interface KeptBranch {
  readonly id: number;
  readonly labels: readonly string[];
  readonly parent: number | null;
  readonly forkedAt: number;
}

interface Kept {
  /** As JSON. */
  readonly scene: string;
  readonly branches: readonly KeptBranch[];
}

const key = 'tahoe-mutable branches 2';
/** Of one scene; the latest are kept. */
const branchesMax = 16;
/** Those that were open last. */
const scenesMax = 4;

/** Beyond a reload, in this tab; a browser may have no room, or forbid it. */
export function keepBranches(scene: unknown, branches: readonly KeptBranch[]): void {
  const kept: Kept = { scene: JSON.stringify(scene), branches: branches.slice(-branchesMax) };
  const others = allKept().filter((other) => other.scene !== kept.scene);
  try {
    sessionStorage.setItem(key, JSON.stringify([kept, ...others.slice(0, scenesMax - 1)]));
  } catch {
    // Then a reload shows the branch of the address only.
  }
}

/** Those of `scene` that were kept. */
export function keptBranches(scene: unknown): readonly KeptBranch[] {
  const text = JSON.stringify(scene);
  return allKept().find((kept) => kept.scene === text)?.branches ?? [];
}

function allKept(): readonly Kept[] {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? '[]') as readonly Kept[];
  } catch {
    return [];
  }
}
