/** What a reflector keeps: one projection per object, by name within the namespace, and the changes between states. */
import { isObject } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json.ts';
import { identityOf } from './watch-event.ts';

export interface Stored {
  readonly name: string;
  readonly uid: string;
}

export type Change<T> =
  | { readonly kind: 'added'; readonly after: T }
  | { readonly kind: 'changed'; readonly before: T; readonly after: T }
  | { readonly kind: 'deleted'; readonly before: T };

/** What to keep of an object: `before` is its last projection, if it is the same object by UID. undefined: nothing. */
export type Projection<T> = (raw: JsonObject, before: T | undefined) => T | undefined;

export interface StoreOptions<T> {
  readonly project: Projection<T>;
  readonly onChange: (change: Change<T>) => void;
  /** An object that cannot be projected: it is skipped, and what was known of it stays. */
  readonly onPoison: (name: string | undefined, error: unknown) => void;
  /** Where true for two projections of one object, the change is kept to ourselves. */
  readonly same?: ((before: T, after: T) => boolean) | undefined;
}

/** Synchronous: a state is never seen half applied. */
export class Store<T extends Stored> {
  readonly #options: StoreOptions<T>;
  #byName = new Map<string, T>();

  constructor(options: StoreOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): T | undefined {
    return this.#byName.get(name);
  }

  values(): IterableIterator<T> {
    return this.#byName.values();
  }

  set(raw: JsonObject): void {
    const identity = identityOf(raw);
    if (!identity) {
      this.#options.onPoison(undefined, new Error('object without name or uid'));
      return;
    }
    const known = this.#byName.get(identity.name);
    const projected = this.project(raw);
    if (projected === 'poison') return;
    if (projected) this.#byName.set(identity.name, projected);
    else this.#byName.delete(identity.name);
    this.#tell(known, projected);
  }

  /** A late `DELETED` of an earlier object must not take its successor away. */
  remove(raw: JsonObject): void {
    const identity = identityOf(raw);
    const known = identity && this.#byName.get(identity.name);
    if (!known || known.uid !== identity.uid) return;
    this.#byName.delete(identity.name);
    this.#tell(known, undefined);
  }

  /** For collecting a list page by page, without showing any of it yet. */
  project(raw: unknown): T | undefined | 'poison' {
    const identity = identityOf(raw);
    if (!identity || !isObject(raw)) {
      this.#options.onPoison(identity?.name, new Error('object without name or uid'));
      return 'poison';
    }
    const known = this.#byName.get(identity.name);
    try {
      return this.#options.project(raw, known?.uid === identity.uid ? known : undefined);
    } catch (error) {
      this.#options.onPoison(identity.name, error);
      return 'poison';
    }
  }

  /** The whole truth at one moment: what it does not hold is gone. */
  replace(next: Map<string, T>): void {
    const before = this.#byName;
    this.#byName = next;
    for (const [name, known] of before) if (!next.has(name)) this.#tell(known, undefined);
    for (const [name, object] of next) this.#tell(before.get(name), object);
  }

  /** Deleted and made again between two looks is two changes: the namesake is another object. */
  #tell(before: T | undefined, after: T | undefined): void {
    if (before && after && before.uid === after.uid) {
      if (before !== after && this.#options.same?.(before, after) !== true) this.#options.onChange({ kind: 'changed', before, after });
      return;
    }
    if (before) this.#options.onChange({ kind: 'deleted', before });
    if (after) this.#options.onChange({ kind: 'added', after });
  }
}
