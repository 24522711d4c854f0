/**
 * Who may start how many Jobs now. Used is what the caches show as live, with the names that were asked for and are not in
 * view yet, and the places that were given to somebody whose round is on its way. A plan and what it takes are one
 * synchronous step: `room`, the plan, `take`.
 *
 * Whoever wants more than there is waits in a line. A place that gets free is given to the first of it, who alone is
 * woken; whoever was given one goes to the end, so that large askers share with others of their priority.
 */
import type { Clock, Timer } from '../../lib/clock.ts';
import { isUnlimited, noLimits, type EffectiveLimits } from '../../plan/limits/effective.ts';
import { freeOf, haltOf, shortageOf, type Free, type Use } from '../../plan/limits/free.ts';
import { unlimited, type Room, type Shortage } from '../../plan/limits/room.ts';
import type { ObservedJob, SpecKey } from '../../plan/observed.ts';
import { specText } from '../key.ts';
import type { ReservedNames } from '../memory.ts';
import type { LiveJobs, Place } from '../ports.ts';
import { Line, type Asker, type Waiter } from './line.ts';
import { Places } from './places.ts';
import { Starts } from './starts.ts';

/** So long a create may go unseen before the key that asked for it looks again; only while others wait. */
const unseenPause = 5000;

export interface CapacityDeps {
  readonly clock: Clock;
  /** Asks for a round of a key. */
  readonly wake: (key: SpecKey) => void;
  /** All Jobs that the cache holds: asked when a start rate begins to hold. */
  readonly jobs: () => Iterable<Pick<ObservedJob, 'name' | 'createdAt'>>;
}

/** A place that is taken before the cache shows what for. */
interface Hold {
  readonly key: SpecKey;
  readonly place: Place;
  /** Monotonic. */
  readonly since: number;
  /** Its create is being worked on, or its round is awaited. */
  asked: boolean;
  /** The name is reserved: the Job may be there. */
  reserved: boolean;
}

/** What is used of a limit, for metrics. `group`: empty for all Jobs. */
export interface CapacityView {
  readonly group: string;
  readonly used: number;
  readonly limit: number | undefined;
}

export class Capacity implements LiveJobs, ReservedNames {
  readonly #deps: CapacityDeps;
  readonly #places = new Places();
  readonly #live = new Map<string, Place>();
  readonly #holds = new Map<string, Hold>();
  readonly #starts = new Starts();
  readonly #line = new Line();
  /** Who asked last, by key: what a name that comes up later counts for. */
  readonly #askers = new Map<string, Asker>();
  /** Places that were given, by key. */
  readonly #granted = new Map<string, string[]>();
  #limits: EffectiveLimits = noLimits;
  readonly #use: Use;
  #changed = false;
  #timer: Timer | undefined;

  constructor(deps: CapacityDeps) {
    this.#deps = deps;
    const places = this.#places;
    this.#use = {
      get jobs() {
        return places.size;
      },
      inGroup: (group) => places.inGroup(group),
      startsWithin: (milliseconds) => this.#starts.within(milliseconds, deps.clock.now()),
    };
  }

  /** What holds from now on. Everybody who waits looks again: what they wait for may be something else. */
  set limits(limits: EffectiveLimits) {
    const before = longestOf(this.#limits);
    this.#limits = limits;
    if (longestOf(limits) !== before) this.#lookBack();
    this.#free();
    for (const key of this.#line.keys()) this.#deps.wake(key);
  }

  get limits(): EffectiveLimits {
    return this.#limits;
  }

  /** What keeps everything of the group from starting. */
  halt(group: string | undefined): Shortage | undefined {
    return haltOf(this.#limits, group);
  }

  /** What would keep one more Job of the group from starting under these limits, for whoever only wants to know: nobody waits for it. */
  shortageUnder(limits: EffectiveLimits, group: string | undefined): Shortage | undefined {
    const halt = haltOf(limits, group);
    if (halt) return halt;
    const free = freeOf(limits, { ...this.#use, startsWithin: (milliseconds) => this.#startsWithin(milliseconds) }, group);
    return free.jobs > 0 ? undefined : shortageOf(limits, free, { group, holders: this.#places.holders(free.by === 'group' ? group : undefined) });
  }

  /** What the next plan of the key may start. To be followed by `take` before anything is awaited. */
  room(asker: Asker): Room {
    this.#askers.set(specText(asker.key), asker);
    if (isUnlimited(this.#limits) && asker.group === undefined) return unlimited;
    const halt = this.halt(asker.group);
    if (halt) return { jobs: 0, halted: true, shortage: halt };
    this.#dispatch();
    const free = this.#freeFor(asker.group);
    const shortage = (): Shortage => this.#shortage(asker, free);
    return {
      jobs: free.jobs + (this.#granted.get(specText(asker.key))?.length ?? 0),
      halted: false,
      get shortage() {
        return shortage();
      },
    };
  }

  /** What the plan takes: names of Jobs that are being asked for from now on, and how many more it would have taken. */
  take(asker: Asker, names: readonly string[], wants: number): void {
    const { key } = asker;
    this.#giveBack(key);
    for (const name of names) this.#hold(name, asker).asked = true;
    if (wants > 0) this.#line.put(asker, wants, names.length > 0);
    else this.#line.remove(key);
    if (wants > 0 && !this.#changed) this.#lookLater();
  }

  /** Nobody works on the create of that name any more: from here on it counts as far as it is reserved or live. */
  settled(name: string): void {
    const hold = this.#holds.get(name);
    if (!hold) return;
    hold.asked = false;
    this.#review(name);
  }

  /** Nothing of the key is wanted any more. */
  forget(key: SpecKey): void {
    this.#line.remove(key);
    this.#giveBack(key);
    this.#askers.delete(specText(key));
  }

  /** Another process led meanwhile: who waits asks again. Reserved names stay in doubt. */
  startAnew(): void {
    this.#line.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#granted.clear();
    this.#askers.clear();
    for (const [name, hold] of [...this.#holds]) {
      hold.asked = false;
      this.#review(name);
    }
  }

  /** No timer is left behind. */
  stop(): void {
    this.#line.clear();
    this.#timer?.cancel();
  }

  /** A Job of that name is live, by what the caches show, or is not any more. */
  live(name: string, place: Place | undefined): void {
    if (place) this.#live.set(name, place);
    else this.#live.delete(name);
    this.#review(name);
  }

  /** The cache shows a Job that it did not show before: from here on it speaks for itself. */
  appeared(name: string, createdAt: number): void {
    this.#starts.seen(name, createdAt, this.#deps.clock.now());
    if (this.#holds.delete(name)) this.#review(name);
  }

  /** The name is about to be asked for. */
  reserved(key: SpecKey, name: string): void {
    // Of a queue the name was not known when it took its place.
    if (this.#holds.delete(specText(key))) this.#review(specText(key));
    const asker = this.#askers.get(specText(key)) ?? { key, group: undefined, priority: 0, holder: `${key.kind} ${key.name}` };
    this.#hold(name, asker).reserved = true;
  }

  confirmed(name: string): void {
    this.#starts.done(name, this.#deps.clock.now());
  }

  released(name: string): void {
    const hold = this.#holds.get(name);
    if (!hold) return;
    hold.reserved = false;
    this.#review(name);
  }

  /** All Jobs, then each group that is limited or used. */
  view(): readonly CapacityView[] {
    const groups = [...new Set([...this.#limits.groups.keys(), ...this.#places.groups()])].sort();
    return [
      { group: '', used: this.#places.size, limit: this.#limits.maxJobs },
      ...groups.map((group) => ({ group, used: this.#places.inGroup(group), limit: this.#limits.groups.get(group) })),
    ];
  }

  /** Keys that wait for a place. */
  get waiting(): number {
    return this.#line.size;
  }

  #hold(name: string, { key, group, holder }: Asker): Hold {
    const before = this.#holds.get(name);
    if (before) return before;
    const hold: Hold = { key, place: { group, holder }, since: this.#deps.clock.monotonic(), asked: false, reserved: false };
    this.#holds.set(name, hold);
    this.#starts.begin(name);
    this.#places.set(name, this.#live.get(name) ?? hold.place);
    return hold;
  }

  /** Lets a hold go that nothing speaks for any more, and counts the name by what is left. */
  #review(name: string): void {
    const hold = this.#holds.get(name);
    if (hold && !hold.asked && !hold.reserved) this.#holds.delete(name);
    const place = this.#live.get(name) ?? this.#holds.get(name)?.place;
    this.#places.set(name, place);
    if (place) return;
    this.#starts.drop(name);
    this.#free();
  }

  #giveBack(key: SpecKey): void {
    for (const name of this.#granted.get(specText(key)) ?? []) this.settled(name);
    this.#granted.delete(specText(key));
  }

  /** Also on a replica that stands by, which notes no starts. */
  #startsWithin(milliseconds: number): number {
    const since = this.#deps.clock.now() - milliseconds;
    const seen = [...this.#deps.jobs()].filter(({ createdAt }) => createdAt > since).length;
    return Math.max(this.#use.startsWithin(milliseconds), seen);
  }

  #shortage({ group }: Asker, free: Free): Shortage {
    return shortageOf(this.#limits, free, { group, holders: this.#places.holders(free.by === 'group' ? group : undefined) });
  }

  #freeFor(group: string | undefined): Free {
    return freeOf(this.#limits, this.#use, group);
  }


  /** Not at once: whoever tells it may be in the middle of a list that replaces all that is live. */
  #free(): void {
    if (this.#changed || this.#line.size === 0) return;
    this.#changed = true;
    void Promise.resolve().then(() => { this.#dispatch(); });
  }

  /** Gives what is free to those who wait, one each in turn, and wakes them. */
  #dispatch(): void {
    if (!this.#changed) return;
    this.#changed = false;
    const woken = new Map<string, SpecKey>();
    for (let next = this.#next(); next; next = this.#next()) {
      const { key, wants } = next;
      const text = specText(key);
      const names = this.#granted.get(text) ?? [];
      const name = `${text}/${names.length}`;
      this.#hold(name, next).asked = true;
      this.#granted.set(text, [...names, name]);
      if (wants > 1) this.#line.put(next, wants - 1, true);
      else this.#line.remove(key);
      woken.set(text, key);
    }
    for (const key of woken.values()) this.#deps.wake(key);
    this.#lookLater();
  }

  /** Asked for each place that gets free: what holds for all groups is looked at once. */
  #next(): Waiter | undefined {
    const { groups } = this.#limits;
    if (this.halt(undefined) !== undefined || this.#freeFor(undefined).jobs === 0) return undefined;
    return this.#line.next((group) => group === undefined || (groups.get(group) ?? 0) > this.#places.inGroup(group));
  }

  /** For what no event tells: that a start rate allows more, and that something was created and gone before anybody saw it. */
  #lookLater(): void {
    const { clock } = this.#deps;
    const { rates } = this.#limits;
    if (this.#timer && (rates.length === 0 || this.#line.size === 0)) return;
    this.#timer?.cancel();
    const now = clock.now();
    const times = rates.map(({ starts, within }) => this.#starts.freeAt(starts, within, now) - now).filter((time) => time > 0);
    this.#timer = this.#line.size === 0 ? undefined : clock.timer(Math.max(1, Math.min(unseenPause, ...times)), () => { this.#look(); });
  }

  #look(): void {
    this.#timer = undefined;
    const old = this.#deps.clock.monotonic() - unseenPause;
    const keys = new Map([...this.#holds.values()].filter(({ reserved, since }) => reserved && since < old).map(({ key }) => [specText(key), key]));
    for (const key of keys.values()) this.#deps.wake(key);
    this.#changed = true;
    this.#dispatch();
  }

  #lookBack(): void {
    this.#starts.look(longestOf(this.#limits), [...this.#deps.jobs()].map(({ name, createdAt }) => ({ name, at: createdAt })));
  }
}

function longestOf({ rates }: EffectiveLimits): number {
  return Math.max(0, ...rates.map(({ within }) => within));
}
