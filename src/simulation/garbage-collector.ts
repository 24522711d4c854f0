/**
 * The garbage collector: dependents of owners that are gone are deleted, foreground deletion waits for dependents that
 * block it, orphan deletion sets dependents free. Works some tens of milliseconds behind the store, as measured.
 */
import type { VirtualClock } from './clock.ts';
import { type KubeObject, type OwnerReference, type Resource } from './objects.ts';
import type { Random } from './random.ts';
import { type DeleteOptions, type Registry, resourceOfKind } from './registry.ts';
import type { Change, Store } from './store.ts';

interface Item {
  readonly resource: Resource;
  readonly object: KubeObject;
}

export class GarbageCollector {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #registry: Registry;
  readonly #store: Store;
  /** Dependents' UIDs by owner UID. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #due = new Set<string>();
  #busyUntil = 0;

  constructor(deps: { clock: VirtualClock; random: Random; registry: Registry }) {
    this.#clock = deps.clock;
    this.#random = deps.random.split('garbage-collector');
    this.#registry = deps.registry;
    this.#store = deps.registry.store;
    this.#store.subscribe((change) => { this.#notice(change); });
  }

  #notice({ object, previous, type }: Change): void {
    const { uid } = object.metadata;
    const before = ownersOf(previous);
    const owners = ownersOf(object);
    for (const owner of before) this.#dependents.get(owner.uid)?.delete(uid);
    if (type === 'DELETED') {
      this.#enqueueDependents(uid);
      this.#dependents.delete(uid);
      for (const owner of owners) if (this.#isDeleting(owner.uid)) this.#enqueue(owner.uid);
      return;
    }
    for (const owner of owners) this.#dependentsOf(owner.uid).add(uid);
    if (owners.length > 0 && before !== owners) this.#enqueue(uid);
    if (!isCollectorsWork(object)) return;
    // Dependents first: measured, a foreground prune of a ConfigMap deletes its Jobs in the foreground as well.
    this.#enqueueDependents(uid);
    this.#enqueue(uid);
  }

  #enqueueDependents(uid: string): void {
    for (const dependent of this.#dependents.get(uid) ?? []) this.#enqueue(dependent);
  }

  #enqueue(uid: string): void {
    if (this.#due.has(uid)) return;
    this.#due.add(uid);
    // One queue: what was noticed first is looked at first.
    this.#busyUntil = Math.max(this.#busyUntil + 0.1, this.#clock.monotonic() + this.#random.between(10, 20));
    this.#clock.quietTimer(this.#busyUntil - this.#clock.monotonic(), () => {
      this.#due.delete(uid);
      const item = this.#store.byUid(uid);
      if (!item) return;
      if (item.object.metadata.deletionTimestamp === undefined) this.#collect(item);
      else this.#finishDeletion(item);
    });
  }

  /** A dependent that is not being deleted: does it still have an owner? */
  #collect({ resource, object }: Item): void {
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length === 0) return;
    const absent = owners.filter((owner) => this.#isAbsent(owner));
    const waiting = owners.filter((owner) => !absent.includes(owner) && this.#isWaiting(owner.uid));
    const solid = owners.filter((owner) => !absent.includes(owner) && !waiting.includes(owner));
    if (solid.length === 0) {
      const hasDependents = (this.#dependents.get(object.metadata.uid)?.size ?? 0) > 0;
      const propagation = waiting.length > 0 && hasDependents ? 'Foreground' : 'Background';
      this.#delete({ resource, object }, propagation);
      return;
    }
    if (absent.length + waiting.length === 0) return;
    this.#registry.update(resource, object.metadata.name, (current) => ({ ...current, metadata: { ...current.metadata, ownerReferences: solid } }));
  }

  #finishDeletion(item: Item): void {
    const finalizers = item.object.metadata.finalizers ?? [];
    if (finalizers.includes('orphan')) this.#orphan(item);
    else if (finalizers.includes('foregroundDeletion')) this.#continueForeground(item);
  }

  #orphan(item: Item): void {
    const { uid } = item.object.metadata;
    for (const dependent of this.#dependentItems(uid)) {
      this.#registry.update(dependent.resource, dependent.object.metadata.name, (object) => withoutOwner(object, uid));
    }
    this.#removeFinalizer(item, 'orphan');
  }

  /** Only dependents with blockOwnerDeletion hold their owner: pods their Job, but not Jobs without it their ConfigMap. */
  #continueForeground(item: Item): void {
    const { uid } = item.object.metadata;
    const blocking = this.#dependentItems(uid).filter(({ object }) => object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true));
    if (blocking.length === 0) {
      this.#removeFinalizer(item, 'foregroundDeletion');
      return;
    }
    for (const { object } of blocking) if (object.metadata.deletionTimestamp === undefined) this.#enqueue(object.metadata.uid);
  }

  #removeFinalizer({ resource, object }: Item, finalizer: string): void {
    this.#registry.update(resource, object.metadata.name, (current) => {
      const finalizers = (current.metadata.finalizers ?? []).filter((name) => name !== finalizer);
      return { ...current, metadata: { ...current.metadata, finalizers } };
    });
  }

  #delete({ resource, object }: Item, propagation: NonNullable<DeleteOptions['propagation']>): void {
    const { name, uid } = object.metadata;
    this.#registry.delete(resource, name, { propagation, uid });
  }

  #isAbsent(owner: OwnerReference): boolean {
    if (!resourceOfKind(owner.kind)) return false;
    const found = this.#store.byUid(owner.uid);
    return found?.object.kind !== owner.kind || found.object.metadata.name !== owner.name;
  }

  /** An owner that is itself being deleted in the foreground. */
  #isWaiting(uid: string): boolean {
    const metadata = this.#store.byUid(uid)?.object.metadata;
    return metadata?.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes('foregroundDeletion');
  }

  #isDeleting(uid: string): boolean {
    return this.#store.byUid(uid)?.object.metadata.deletionTimestamp !== undefined;
  }

  #dependentItems(uid: string): Item[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#store.byUid(dependent) ?? []);
  }

  #dependentsOf(uid: string): Set<string> {
    const known = this.#dependents.get(uid);
    if (known) return known;
    const made = new Set<string>();
    this.#dependents.set(uid, made);
    return made;
  }
}

const none: readonly OwnerReference[] = [];

function ownersOf(object: KubeObject | undefined): readonly OwnerReference[] {
  return object?.metadata.ownerReferences ?? none;
}

/** Being deleted with a finalizer of the collector on it, unlike a pod in its grace period. */
function isCollectorsWork({ metadata }: KubeObject): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  return (metadata.finalizers ?? []).some((name) => name === 'orphan' || name === 'foregroundDeletion');
}

function withoutOwner(object: KubeObject, uid: string): KubeObject {
  const ownerReferences = (object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
  return { ...object, metadata: { ...object.metadata, ownerReferences } };
}

