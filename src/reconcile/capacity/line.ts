/**
 * Keys that wait for a place: higher priority first, then whoever has waited longest. Groups have lines of their own, so
 * that a full group holds up nobody else; taking the next one costs as much as there are groups.
 */
import type { SpecKey } from '../../plan/observed.ts';
import { specText } from '../key.ts';

/** Who asks for places, and for which. */
export interface Asker {
  readonly key: SpecKey;
  readonly group: string | undefined;
  readonly priority: number;
  /** Kind and name that its Jobs are shown under: `queue a`. */
  readonly holder: string;
}

/** An asker and how many places it wants. */
export interface Waiter extends Asker {
  readonly wants: number;
  /** Counts on with each that comes. */
  readonly ticket: number;
}

/** The waiters of one group: by priority, highest first; within one in the order in which they came. */
class GroupLine {
  readonly #byPriority = new Map<number, Map<string, Waiter>>();
  #priorities: readonly number[] = [];

  get head(): Waiter | undefined {
    const [highest] = this.#priorities;
    return highest === undefined ? undefined : this.#byPriority.get(highest)?.values().next().value;
  }

  put(waiter: Waiter): void {
    const { priority } = waiter;
    const others = this.#byPriority.get(priority) ?? new Map<string, Waiter>();
    if (others.size === 0) this.#add(priority, others);
    others.set(specText(waiter.key), waiter);
  }

  take({ key, priority }: Waiter): void {
    const others = this.#byPriority.get(priority);
    others?.delete(specText(key));
    if (others?.size !== 0) return;
    this.#byPriority.delete(priority);
    this.#priorities = this.#priorities.filter((one) => one !== priority);
  }

  #add(priority: number, waiters: Map<string, Waiter>): void {
    this.#byPriority.set(priority, waiters);
    this.#priorities = [...this.#priorities, priority].sort((left, right) => right - left);
  }
}

export class Line {
  readonly #waiters = new Map<string, Waiter>();
  readonly #groups = new Map<string | undefined, GroupLine>();
  #tickets = 0;

  get size(): number {
    return this.#waiters.size;
  }

  has(key: SpecKey): boolean {
    return this.#waiters.has(specText(key));
  }

  keys(): readonly SpecKey[] {
    return [...this.#waiters.values()].map(({ key }) => key);
  }

  /** `last`: at the end of its line; else it keeps its turn where it has one. */
  put(asker: Asker, wants: number, last: boolean): void {
    const before = this.#waiters.get(specText(asker.key));
    const stays = before !== undefined && !last && before.group === asker.group && before.priority === asker.priority;
    if (before && !stays) this.remove(asker.key);
    const waiter: Waiter = { ...asker, wants, ticket: stays ? before.ticket : (this.#tickets += 1) };
    this.#waiters.set(specText(asker.key), waiter);
    // A key that is in a Map already keeps its turn there.
    const line = this.#groups.get(asker.group) ?? new GroupLine();
    this.#groups.set(asker.group, line);
    line.put(waiter);
  }

  remove(key: SpecKey): void {
    const waiter = this.#waiters.get(specText(key));
    if (!waiter) return;
    this.#waiters.delete(specText(key));
    const line = this.#groups.get(waiter.group);
    line?.take(waiter);
    if (line && !line.head) this.#groups.delete(waiter.group);
  }

  /** The first of those whose group is open. */
  next(isOpen: (group: string | undefined) => boolean): Waiter | undefined {
    let best: Waiter | undefined;
    for (const [group, line] of this.#groups) {
      const { head } = line;
      if (head && (!best || isBefore(head, best)) && isOpen(group)) best = head;
    }
    return best;
  }

  clear(): void {
    this.#waiters.clear();
    this.#groups.clear();
  }
}

function isBefore(left: Waiter, right: Waiter): boolean {
  return left.priority === right.priority ? left.ticket < right.ticket : left.priority > right.priority;
}
