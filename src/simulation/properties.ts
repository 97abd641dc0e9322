/**
 * @module properties: what must hold in every world, whatever happens.
 *
 * Each property is a sentence and a function of the trace alone, judged record by record, so that
 * the first record that breaks it is known. The letters: U for the servermap update, Q for publish,
 * G for repair, A for recoverability, X for concurrency, M for modify, T for retrieve, V for servers
 * that lie; K is the kernel. Some hold only within limits (so many disks lost); outside of them they say nothing.
 */
import { emptyFacts, learn, type RunFacts } from './facts.ts';
import { concurrencyProperties } from './properties-concurrency.ts';
import { kernelProperties } from './properties-kernel.ts';
import { lieProperties } from './properties-lies.ts';
import { publishProperties } from './properties-publish.ts';
import { repairProperties } from './properties-repair.ts';
import { updateProperties } from './properties-update.ts';
import { type PropertyDefinition, type RealJudge, unseen } from './property.ts';
import type { TraceRecord, World } from './world.ts';

/** Whether a property holds of a run. */
export type PropertyVerdict =
  | { readonly kind: 'holds' }
  /** Of real runs only: it needs what no trace of one has, or what it saw has two explanations. */
  | { readonly kind: 'undecided'; readonly because: string }
  | {
      readonly kind: 'violated';
      /** The number of the choice that broke it, from 1. */
      readonly step: number;
      readonly seq: number;
      readonly because: string;
    };

/** What must hold of any run. */
export interface Property {
  /** `U1`, … */
  readonly id: string;
  /** In a few words. */
  readonly name: string;
  /** In one sentence. */
  readonly statement: string;
  /** Judges the whole trace so far, of a simulated run. */
  readonly check: (world: Pick<World, 'trace'>) => PropertyVerdict;
}

const definitions: readonly PropertyDefinition[] = [
  ...updateProperties,
  ...publishProperties,
  ...repairProperties,
  ...concurrencyProperties,
  ...lieProperties,
  ...kernelProperties,
];

/** Every property, in the order of their ids. */
export const properties: readonly Property[] = definitions.map((definition) => {
  const { id, name, statement } = definition;
  const check: Property['check'] = ({ trace }) => {
    const watch = new PropertyWatch([definition]);
    watch.see(trace);
    return watch.verdicts.get(id) as PropertyVerdict;
  };
  return { id, name, statement, check };
});

/** Judges a trace as it grows; a property that is broken once stays broken. */
export class PropertyWatch {
  readonly #verdicts = new Map<string, PropertyVerdict>();
  #facts = emptyFacts();
  #judges: { readonly id: string; readonly judge: RealJudge }[] = [];

  /**
   * @internal
   * @param run what the trace is of; a real one is judged file by file
   */
  constructor(
    of: readonly PropertyDefinition[] = definitions,
    run: 'simulated' | 'real' = 'simulated',
  ) {
    for (const { id, needs, judge, judgeReal } of of) {
      const real = judgeReal ?? (needs === 'charts' ? judge : undefined);
      const chosen = run === 'real' ? real : judge;
      if (chosen !== undefined) this.#judges.push({ id, judge: chosen() });
      const because = needs === 'charts' ? '' : unseen[needs];
      this.#verdicts.set(id, chosen ? { kind: 'holds' } : { kind: 'undecided', because });
    }
  }

  /** What the trace says so far. @internal */
  get facts(): RunFacts {
    return this.#facts;
  }

  /** By property id. */
  get verdicts(): ReadonlyMap<string, PropertyVerdict> {
    return this.#verdicts;
  }

  /** The properties that are broken so far. */
  get violations(): readonly { readonly id: string; readonly because: string }[] {
    return [...this.#verdicts].flatMap(([id, verdict]) =>
      verdict.kind === 'violated' ? [{ id, because: verdict.because }] : [],
    );
  }

  /** @param records the next ones of the trace */
  see(records: readonly TraceRecord[]): void {
    for (const record of records) {
      this.#facts = learn(this.#facts, record);
      this.#judges = this.#judges.filter(({ id, judge }) => {
        const because = judge(record, this.#facts);
        if (because === undefined) return true;
        if (typeof because === 'object') {
          // What is found later may have one explanation only.
          this.#verdicts.set(id, { kind: 'undecided', because: because.doubt });
          return true;
        }
        const { step, seq } = record;
        this.#verdicts.set(id, { kind: 'violated', step, seq, because });
        return false;
      });
    }
  }
}
