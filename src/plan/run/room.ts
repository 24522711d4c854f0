/** What a record has room for: values of users, of all steps of a run together. */
import type { Json } from '../../lib/json.ts';
import type { RunState, StepState } from './state.ts';

/**
 * Bytes of JSON. A ConfigMap holds 1 MiB, the spec's text and files take up to 700,000 bytes of it, and values may be such
 * that compressing does not make them smaller.
 */
export const roomForValues = 256 * 1024;

/** Items with a Job or run of their own, of all steps of a run: each costs some 22 bytes of the record, compressed, however little it says. */
export const mostItemsOfRun = 20_000;

/** Bytes of JSON of what a run gives back: it stands in an annotation of the record, and those share 256 KiB. */
export const roomForOutputs = 100 * 1024;

/** How much of the room is used, and whether something still fits. */
export class Room {
  #used: number | undefined;
  #items: number | undefined;
  readonly #state: RunState;

  constructor(state: RunState) {
    this.#state = state;
  }

  /** Takes the room for so many items that have a Job or run of their own; false where they are too many. */
  takeItems(count: number): boolean {
    const items = (this.#items ??= Object.values(this.#state.steps).reduce((sum, step) => sum + (step.items?.length ?? 0), 0));
    if (items + count > mostItemsOfRun) return false;
    this.#items = items + count;
    return true;
  }

  /** Takes the room that the values need; false where there is not enough of it. */
  take(values: Json): boolean {
    // Counted only where something comes to it, which few rounds see.
    const used = (this.#used ??= usedBy(this.#state));
    const needed = bytes(values);
    if (used + needed > roomForValues) return false;
    this.#used = used + needed;
    return true;
  }
}

function usedBy({ steps }: RunState): number {
  return Object.values(steps).reduce((sum, step) => sum + usedByStep(step), 0);
}

function usedByStep({ outputs, each, items = [] }: StepState): number {
  const own = (outputs ? bytes({ ...outputs }) : 0) + (each?.values ? bytes([...each.values]) : 0);
  return items.reduce((sum, item) => sum + (item.outputs ? bytes({ ...item.outputs }) : 0), own);
}

function bytes(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}
