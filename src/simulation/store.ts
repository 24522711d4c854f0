/**
 * Objects by type and name with one growing resourceVersion, and the recent history that watches start from. The
 * counterpart of etcd and the watch cache; no rule of Kubernetes is in here.
 */
import { freeze, type KubeObject, type Meta, type Resource, resources } from './objects.ts';

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  /** For DELETED the last state, with the resourceVersion of the deletion. */
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
  readonly version: number;
  readonly at: number;
}

interface Shelf {
  readonly objects: Map<string, KubeObject>;
  history: Change[];
}

/** Listeners are called synchronously, in the order in which they subscribed, with every change. */
export class Store {
  readonly #now: () => number;
  readonly #historyWindow: number;
  readonly #shelves = new Map<string, Shelf>();
  readonly #byUid = new Map<string, { resource: Resource; name: string }>();
  readonly #listeners: ((change: Change) => void)[] = [];
  #version = 1000;
  #compactedTo = 1000;

  constructor(now: () => number, historyWindow: number) {
    this.#now = now;
    this.#historyWindow = historyWindow;
    for (const resource of resources) this.#shelves.set(resource.plural, { objects: new Map(), history: [] });
  }

  /** The newest resourceVersion of anything. */
  get version(): number {
    return this.#version;
  }

  /** Watches can start from this version or a later one. */
  get compactedTo(): number {
    this.#forget(this.#now() - this.#historyWindow);
    return this.#compactedTo;
  }

  subscribe(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  get(resource: Resource, name: string): KubeObject | undefined {
    return this.#shelf(resource).objects.get(name);
  }

  byUid(uid: string): { resource: Resource; object: KubeObject } | undefined {
    const place = this.#byUid.get(uid);
    const object = place && this.get(place.resource, place.name);
    return place && object ? { resource: place.resource, object } : undefined;
  }

  count(resource: Resource): number {
    return this.#shelf(resource).objects.size;
  }

  /** By name, as etcd orders its keys. */
  list(resource: Resource): KubeObject[] {
    return [...this.#shelf(resource).objects.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** In no order that means anything, for those who do not care. */
  all(resource: Resource): Iterable<KubeObject> {
    return this.#shelf(resource).objects.values();
  }

  put(resource: Resource, object: KubeObject): KubeObject {
    const shelf = this.#shelf(resource);
    const previous = shelf.objects.get(object.metadata.name);
    const stored = this.#stamp(object);
    shelf.objects.set(stored.metadata.name, stored);
    this.#byUid.set(stored.metadata.uid, { resource, name: stored.metadata.name });
    this.#publish({ type: previous ? 'MODIFIED' : 'ADDED', resource, object: stored, previous, version: this.#version, at: this.#now() });
    return stored;
  }

  remove(resource: Resource, name: string): KubeObject | undefined {
    const shelf = this.#shelf(resource);
    const previous = shelf.objects.get(name);
    if (!previous) return undefined;
    shelf.objects.delete(name);
    this.#byUid.delete(previous.metadata.uid);
    const last = this.#stamp(previous);
    this.#publish({ type: 'DELETED', resource, object: last, previous, version: this.#version, at: this.#now() });
    return last;
  }

  /** Changes of one type after `version`, oldest first. Ask `compactedTo` before. */
  since(resource: Resource, version: number): Change[] {
    return this.#shelf(resource).history.filter((change) => change.version > version);
  }

  /** Forgets the whole history, as after a compaction or a restart of the API server. */
  compact(): void {
    for (const shelf of this.#shelves.values()) shelf.history = [];
    this.#compactedTo = this.#version;
  }

  #stamp(object: KubeObject): KubeObject {
    this.#version += 1;
    const metadata: Meta = { ...object.metadata, resourceVersion: String(this.#version) };
    return freeze({ ...object, metadata });
  }

  #publish(change: Change): void {
    this.#shelf(change.resource).history.push(change);
    // Trimming on every write would walk the list each time; it is amortised by waiting for some hundred entries.
    if (this.#version % 512 === 0) this.#forget(change.at - this.#historyWindow);
    for (const listener of this.#listeners) listener(change);
  }

  #forget(before: number): void {
    for (const shelf of this.#shelves.values()) {
      const keep = shelf.history.findIndex((change) => change.at >= before);
      const gone = keep === -1 ? shelf.history.length : keep;
      if (gone === 0) continue;
      this.#compactedTo = Math.max(this.#compactedTo, shelf.history[gone - 1]?.version ?? 0);
      shelf.history = shelf.history.slice(gone);
    }
  }

  #shelf(resource: Resource): Shelf {
    const shelf = this.#shelves.get(resource.plural);
    if (!shelf) throw new Error(`no such resource: ${resource.plural}`);
    return shelf;
  }
}
