/**
 * Writes with the meaning that Kubernetes gives them: names, defaults, validation, quota, preconditions, deletion with
 * grace and finalizers. The API server and the simulated controllers both write through it.
 */
import type { Clock } from '../lib/clock.ts';
import { isObject, type JsonObject, objectAt, stringAt } from '../lib/json.ts';
import { alreadyExists, ApiFailure, conflict, forbidden, modified, notFound } from './failure.ts';
import { withJobDefaults, withPodDefaults } from './defaults.ts';
import { asPod, isTerminal } from './job-shape.ts';
import { apiVersionOf, copy, equal, jobs, type KubeObject, type Meta, pods, qualified, type Resource, resources, timestamp } from './objects.ts';
import type { Random } from './random.ts';
import type { Store } from './store.ts';
import { validateNew, validateUpdate } from './validation.ts';

export interface DeleteOptions {
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan';
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly graceSeconds?: number;
  readonly dryRun?: boolean;
}

/** What an admission policy or webhook says against an object. */
export interface Denial {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

export interface RegistryDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly namespace: string;
  readonly store: Store;
  /** Hard limits of a ResourceQuota, such as `count/jobs.batch: 5` or `pods: 10`. Read at each create. */
  readonly quota: Map<string, number>;
  readonly refuse: (resource: Resource, object: KubeObject) => Denial | undefined;
}

export class Registry {
  readonly #deps: RegistryDeps;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
  }

  get store(): Store {
    return this.#deps.store;
  }

  /**
   * The order of checks is the real one: validation (422), then admission, where the quota refuses (403), and only then
   * whether the name is taken (409). Measured: an existing name with a full quota answers 403.
   */
  create(resource: Resource, body: JsonObject, dryRun = false): KubeObject {
    const object = this.#complete(resource, copy(body));
    validateNew(resource, object);
    const denial = this.#deps.refuse(resource, object);
    if (denial) throw new ApiFailure(denial.code, denial.reason, denial.message);
    this.#checkQuota(resource, object.metadata.name);
    const holder = this.store.get(resource, object.metadata.name);
    if (holder) throw alreadyExists({ resource, name: object.metadata.name }, holder.metadata.deletionTimestamp !== undefined);
    return dryRun ? object : this.store.put(resource, object);
  }

  /** Replaces an object by what `change` makes of it. Nothing is written where nothing changed. */
  update(resource: Resource, name: string, change: (object: KubeObject) => KubeObject, dryRun = false): KubeObject {
    const old = this.store.get(resource, name);
    if (!old) throw notFound({ resource, name });
    const next = withoutEmptyData(change(old));
    if (next.metadata.resourceVersion !== old.metadata.resourceVersion) throw conflict({ resource, name }, modified);
    if (equal(next, old)) return old;
    const specChanged = resource === jobs && !equal(objectAt(next, 'spec'), objectAt(old, 'spec'));
    const metadata: Meta = specChanged ? { ...next.metadata, generation: (old.metadata.generation ?? 1) + 1 } : next.metadata;
    const object: KubeObject = { ...next, metadata };
    validateUpdate(resource, object, old);
    if (dryRun) return object;
    return isReleased(object) ? this.#drop(resource, object) : this.store.put(resource, object);
  }

  /** Says whether the object is gone at once, or waits for grace or finalizers. */
  delete(resource: Resource, name: string, options: DeleteOptions = {}): { object: KubeObject; gone: boolean } {
    const object = this.store.get(resource, name);
    if (!object) throw notFound({ resource, name });
    checkPreconditions(resource, object, options);
    if (options.dryRun) return { object, gone: true };
    const marked = this.#marked(resource, object, options);
    if (isReleased(marked)) return { object: this.#drop(resource, marked), gone: true };
    return { object: equal(marked, object) ? object : this.store.put(resource, marked), gone: false };
  }

  #drop(resource: Resource, object: KubeObject): KubeObject {
    return this.store.remove(resource, object.metadata.name) ?? object;
  }

  #complete(resource: Resource, body: JsonObject): KubeObject {
    const { clock, random, namespace } = this.#deps;
    const given = objectAt(body, 'metadata');
    const prefix = stringAt(given, 'generateName');
    const name = stringAt(given, 'name') ?? (prefix === undefined ? '' : `${prefix.slice(0, 58)}${random.suffix()}`);
    const { deletionTimestamp: _dropped, resourceVersion: _ignored, ...rest } = given;
    const metadata: Meta = { ...rest, name, namespace, uid: random.uuid(), resourceVersion: '', creationTimestamp: timestamp(clock.now()) };
    const object = withoutEmptyData({ ...body, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata });
    if (resource === jobs) return withJobDefaults(object);
    return resource === pods ? withPodDefaults(object) : object;
  }

  #checkQuota(resource: Resource, name: string): void {
    for (const key of resource === pods ? ['pods', 'count/pods'] : [`count/${qualified(resource)}`]) {
      const hard = this.#deps.quota.get(key);
      const used = this.#used(resource);
      if (hard === undefined || used < hard) continue;
      throw forbidden({ resource, name }, `exceeded quota: quota, requested: ${key}=1, used: ${key}=${used}, limited: ${key}=${hard}`);
    }
  }

  /** Finished pods no longer count; Jobs count until they are gone. */
  #used(resource: Resource): number {
    if (resource !== pods) return this.store.count(resource);
    return [...this.store.all(pods)].filter((pod) => !isTerminal(asPod(pod))).length;
  }

  #marked(resource: Resource, object: KubeObject, options: DeleteOptions): KubeObject {
    const grace = resource === pods ? podGrace(object, options) : 0;
    const finalizers = finalizersFor(object, propagationFor(resource, options));
    const { metadata } = object;
    const alreadyShorter = metadata.deletionTimestamp !== undefined && (metadata.deletionGracePeriodSeconds ?? 0) <= grace;
    const deletion = alreadyShorter ? {} : { deletionTimestamp: timestamp(this.#deps.clock.now() + grace * 1000), deletionGracePeriodSeconds: grace };
    return { ...object, metadata: { ...metadata, ...deletion, ...(finalizers.length > 0 ? { finalizers } : {}) } };
  }
}

/** For `resources` lookups by kind, as owner references name them. */
export function resourceOfKind(kind: string): Resource | undefined {
  return resources.find((resource) => resource.kind === kind);
}

/** Go leaves out maps that are empty, such as those that a merge patch took the last key of. */
function withoutEmptyData(object: KubeObject): KubeObject {
  const empty = ['data', 'binaryData'].filter((field) => isObject(object[field]) && Object.values(object[field]).every((value) => value === undefined));
  return empty.length === 0 ? object : (Object.fromEntries(Object.entries(object).filter(([field]) => !empty.includes(field))) as KubeObject);
}

/** Marked as deleted, with no grace left and no finalizer: nothing holds it any more. */
function isReleased({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.deletionGracePeriodSeconds ?? 0) === 0 && (metadata.finalizers ?? []).length === 0;
}

function checkPreconditions(resource: Resource, { metadata }: KubeObject, options: DeleteOptions): void {
  const what = { resource, name: metadata.name };
  if (options.uid !== undefined && options.uid !== metadata.uid) {
    throw conflict(what, `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${metadata.uid}`);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== metadata.resourceVersion) {
    throw conflict(what, `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`);
  }
}

/** batch/v1 keeps the pods of a deleted Job unless the caller says otherwise. */
function propagationFor(resource: Resource, options: DeleteOptions): NonNullable<DeleteOptions['propagation']> {
  return options.propagation ?? (resource === jobs ? 'Orphan' : 'Background');
}

function finalizersFor({ metadata }: KubeObject, propagation: string): string[] {
  const others = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== 'orphan' && finalizer !== 'foregroundDeletion');
  if (propagation === 'Foreground') return [...others, 'foregroundDeletion'];
  return propagation === 'Orphan' ? [...others, 'orphan'] : others;
}

/** A pod that no kubelet has, or whose containers have ended, needs no grace. */
function podGrace(object: KubeObject, options: DeleteOptions): number {
  const pod = asPod(object);
  if (pod.spec.nodeName === undefined || isTerminal(pod)) return 0;
  return options.graceSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}

/** Reads DeleteOptions from a request's body and query. */
export function deleteOptions(body: unknown, query: Readonly<Record<string, string>>): DeleteOptions {
  const preconditions = objectAt(body, 'preconditions');
  const propagation = stringAt(body, 'propagationPolicy') ?? query['propagationPolicy'];
  const grace = isObject(body) && typeof body['gracePeriodSeconds'] === 'number' ? body['gracePeriodSeconds'] : Number(query['gracePeriodSeconds'] ?? Number.NaN);
  const uid = stringAt(preconditions, 'uid');
  const resourceVersion = stringAt(preconditions, 'resourceVersion');
  return {
    ...(propagation === 'Foreground' || propagation === 'Background' || propagation === 'Orphan' ? { propagation } : {}),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(Number.isNaN(grace) ? {} : { graceSeconds: grace }),
    dryRun: query['dryRun'] === 'All',
  };
}
