/** Who wants to know of changes beside the controller: streams of the HTTP API. */
import type { SpecKey } from '../../plan/observed.ts';

type Listener = (name: string) => void;

export class Observers {
  readonly #records = new Set<Listener>();
  readonly #pods = new Set<Listener>();

  /** Called with the name of each record that came, changed or went, until the returned function is called. */
  onRecord(listener: Listener): () => void {
    return added(this.#records, listener);
  }

  /** Called with the name of each run whose Jobs or pods changed. */
  onPods(listener: Listener): () => void {
    return added(this.#pods, listener);
  }

  recordChanged(name: string): void {
    for (const listener of this.#records) listener(name);
  }

  jobsChanged({ kind, name }: SpecKey): void {
    if (kind === 'run') for (const listener of this.#pods) listener(name);
  }
}

/** Of its own, so that one that is given twice is told twice, and each ends alone. */
function added(listeners: Set<Listener>, listener: Listener): () => void {
  const own: Listener = (name) => { listener(name); };
  listeners.add(own);
  return () => { listeners.delete(own); };
}
