/**
 * Who has which place: names of Jobs by group and by holder. Sets of names, never counters that go up and down: what is
 * told twice, or not at all, leaves no trace in a sum.
 */
import type { Holders } from '../../plan/limits/free.ts';
import type { Place } from '../ports.ts';

interface Tally {
  readonly names: Set<string>;
  readonly byHolder: Map<string, Set<string>>;
}

export class Places {
  readonly #places = new Map<string, Place>();
  readonly #all = newTally();
  readonly #byGroup = new Map<string, Tally>();

  /** `place`: undefined where the name has none any more. */
  set(name: string, place: Place | undefined): void {
    const before = this.#places.get(name);
    if (before === place) return;
    if (before) this.#take(name, before);
    if (place) this.#put(name, place);
  }

  get size(): number {
    return this.#all.names.size;
  }

  inGroup(group: string): number {
    return this.#byGroup.get(group)?.names.size ?? 0;
  }

  /** Of a group, or of all. */
  holders(group: string | undefined): Holders {
    const tally = group === undefined ? this.#all : this.#byGroup.get(group);
    return new Map([...(tally?.byHolder ?? [])].map(([holder, names]) => [holder, names.size]));
  }

  /** Groups of which something has a place. */
  groups(): readonly string[] {
    return [...this.#byGroup.keys()];
  }

  #put(name: string, place: Place): void {
    this.#places.set(name, place);
    enter(this.#all, name, place);
    if (place.group === undefined) return;
    const tally = this.#byGroup.get(place.group) ?? newTally();
    this.#byGroup.set(place.group, tally);
    enter(tally, name, place);
  }

  #take(name: string, place: Place): void {
    this.#places.delete(name);
    leave(this.#all, name, place);
    const tally = place.group === undefined ? undefined : this.#byGroup.get(place.group);
    if (!tally || place.group === undefined) return;
    leave(tally, name, place);
    if (tally.names.size === 0) this.#byGroup.delete(place.group);
  }
}

function newTally(): Tally {
  return { names: new Set(), byHolder: new Map() };
}

function enter({ names, byHolder }: Tally, name: string, { holder }: Place): void {
  names.add(name);
  const held = byHolder.get(holder);
  if (held) held.add(name);
  else byHolder.set(holder, new Set([name]));
}

function leave({ names, byHolder }: Tally, name: string, { holder }: Place): void {
  names.delete(name);
  const held = byHolder.get(holder);
  held?.delete(name);
  if (held?.size === 0) byHolder.delete(holder);
}
