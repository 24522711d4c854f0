/** Fetches the Events of objects whose own status does not say why nothing happens. */
import type { Clock } from '../lib/clock.ts';
import type { ExplanationDemand } from '../plan/action.ts';
import type { SpecKey } from '../plan/observed.ts';
import { specText } from './key.ts';
import type { EventReader } from './ports.ts';

/** An object is asked about again after this time at the earliest. */
const pause = 30_000;
/**
 * About so many objects of one key in that time: where a thousand Jobs wait for their pods they all wait for the same, and
 * the API server walks over all Events of the namespace for each.
 */
const mostAsked = 5;

interface Explanation {
  readonly at: number;
  readonly text: string | undefined;
}

type Subject = ExplanationDemand['objects'][number];

export class Explainer {
  readonly #clock: Clock;
  readonly #events: EventReader;
  readonly #changed: (key: SpecKey) => void;
  /** By key, then by object UID; only what the key's last plan asked about. */
  readonly #known = new Map<string, Map<string, Explanation>>();
  /** By key: when something was asked, within the last `pause`. */
  readonly #asked = new Map<string, readonly number[]>();

  constructor(options: { clock: Clock; events: EventReader; changed: (key: SpecKey) => void }) {
    this.#clock = options.clock;
    this.#events = options.events;
    this.#changed = options.changed;
  }

  explanations(key: SpecKey): ReadonlyMap<string, string> {
    const known = this.#known.get(specText(key));
    return new Map([...(known ?? [])].flatMap(([uid, { text }]) => (text === undefined ? [] : [[uid, text] as const])));
  }

  ask(key: SpecKey, demands: readonly ExplanationDemand[]): void {
    const objects = demands.flatMap((demand) => demand.objects);
    const text = specText(key);
    if (objects.length === 0) {
      this.#known.delete(text);
      this.#asked.delete(text);
      return;
    }
    const before = this.#known.get(text);
    this.#known.set(text, new Map(objects.flatMap(({ uid }) => entryOf(before, uid))));
    for (const object of this.#due(text, objects, before)) void this.#fetch(key, object, before?.get(object.uid)?.text);
  }

  /** Those that were never asked about first. */
  #due(text: string, objects: readonly Subject[], before: ReadonlyMap<string, Explanation> | undefined): readonly Subject[] {
    const now = this.#clock.monotonic();
    const asked = (this.#asked.get(text) ?? []).filter((at) => now < at + pause);
    const fresh = objects.filter(({ uid }) => before?.has(uid) !== true);
    const again = objects.filter(({ uid }) => now >= (before?.get(uid)?.at ?? Infinity) + pause);
    const due = [...fresh, ...again].slice(0, Math.max(mostAsked - asked.length, 0));
    this.#asked.set(text, [...asked, ...due.map(() => now)]);
    return due;
  }

  async #fetch(key: SpecKey, object: Subject, before: string | undefined): Promise<void> {
    const known = this.#known.get(specText(key));
    const at = this.#clock.monotonic();
    known?.set(object.uid, { at, text: before });
    const [newest] = await this.#events.texts(object);
    const now = this.#known.get(specText(key));
    if (!now?.has(object.uid)) return;
    // Counted from the question: the plan that asks again does so too.
    now.set(object.uid, { at, text: newest ?? before });
    if (newest !== undefined && newest !== before) this.#changed(key);
  }
}

function entryOf(known: ReadonlyMap<string, Explanation> | undefined, uid: string): [string, Explanation][] {
  const explanation = known?.get(uid);
  return explanation ? [[uid, explanation]] : [];
}
