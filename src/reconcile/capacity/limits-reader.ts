/** Keeps what holds for the instance as its Limits say, from the moment in which one of them is taken in. */
import { effectiveLimits, sameLimits } from '../../plan/limits/effective.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { LimitFields } from '../../spec/limits.ts';
import { specText } from '../key.ts';
import type { SpecIndex } from '../spec-index.ts';
import type { Capacity } from './capacity.ts';

export interface LimitsReaderDeps {
  readonly specs: SpecIndex;
  readonly capacity: Capacity;
  /** The operator's own. */
  readonly ceilings: LimitFields;
  /** Asks for a round of a key. */
  readonly enqueue: (key: SpecKey) => void;
}

export class LimitsReader {
  readonly #deps: LimitsReaderDeps;

  constructor(deps: LimitsReaderDeps) {
    this.#deps = deps;
    deps.capacity.limits = effectiveLimits([], deps.ceilings);
  }

  /** Documents that define these keys were taken in, or went. Everything that may start something looks again. */
  taken(keys: readonly SpecKey[]): void {
    if (!keys.some(({ kind }) => kind === 'limits')) return;
    const { specs, capacity, ceilings, enqueue } = this.#deps;
    const all = specs.keys();
    const named = new Map(all.filter(({ kind }) => kind === 'limits').map((key) => [specText(key), key]));
    const limits = effectiveLimits([...named.values()].map((key) => specs.claims(key)), ceilings);
    if (sameLimits(limits, capacity.limits)) return;
    capacity.limits = limits;
    for (const key of all) if (key.kind === 'queue' || key.kind === 'workflow' || key.kind === 'template') enqueue(key);
  }
}
