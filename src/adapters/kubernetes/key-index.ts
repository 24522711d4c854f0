/** Objects by the spec that they belong to. */
import type { SpecKey } from '../../plan/observed.ts';
import type { Change } from './store.ts';

interface Keyed {
  readonly key: SpecKey;
  readonly name: string;
}

export class KeyIndex<T extends Keyed> {
  readonly #byKey = new Map<string, { readonly key: SpecKey; readonly objects: Map<string, T> }>();

  /** Takes a change in and answers which keys it concerns: two where somebody edited the labels. */
  apply(change: Change<T>): readonly SpecKey[] {
    if (change.kind === 'added') return this.#put(change.after);
    this.#take(change.before);
    if (change.kind === 'deleted') return [change.before.key];
    const keys = this.#put(change.after);
    return textOf(change.before.key) === textOf(change.after.key) ? keys : [change.before.key, ...keys];
  }

  of(key: SpecKey): IterableIterator<T> {
    return (this.#byKey.get(textOf(key))?.objects ?? new Map<string, T>()).values();
  }

  *groups(): Generator<{ readonly key: SpecKey; readonly objects: ReadonlyMap<string, T> }> {
    yield* this.#byKey.values();
  }

  #put(object: T): readonly SpecKey[] {
    const text = textOf(object.key);
    const group = this.#byKey.get(text) ?? { key: object.key, objects: new Map<string, T>() };
    group.objects.set(object.name, object);
    this.#byKey.set(text, group);
    return [object.key];
  }

  #take(object: T): void {
    const text = textOf(object.key);
    const group = this.#byKey.get(text);
    group?.objects.delete(object.name);
    if (group?.objects.size === 0) this.#byKey.delete(text);
  }
}

function textOf(key: SpecKey): string {
  return `${key.kind}/${key.name}`;
}
