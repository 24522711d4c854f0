/** Fetches the Events of objects whose own status does not say why nothing happens. */
import type { Clock } from '../lib/clock.ts';
import type { ExplanationDemand } from '../plan/action.ts';
import type { SpecKey } from '../plan/observed.ts';
import { specText } from './key.ts';
import type { EventReader } from './ports.ts';

/** An object is asked about again after this time at the earliest. */
const pause = 30_000;

interface Explanation {
  readonly at: number;
  readonly text: string | undefined;
}

export class Explainer {
  readonly #clock: Clock;
  readonly #events: EventReader;
  readonly #changed: (key: SpecKey) => void;
  /** By key, then by object UID; only what the key's last plan asked about. */
  readonly #known = new Map<string, Map<string, Explanation>>();

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
      return;
    }
    const before = this.#known.get(text);
    const known = new Map<string, Explanation>();
    this.#known.set(text, known);
    for (const object of objects) {
      const earlier = before?.get(object.uid);
      if (earlier && this.#clock.monotonic() < earlier.at + pause) known.set(object.uid, earlier);
      else void this.#fetch(key, object, earlier?.text);
    }
  }

  async #fetch(key: SpecKey, object: ExplanationDemand['objects'][number], before: string | undefined): Promise<void> {
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
