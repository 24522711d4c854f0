/**
 * Shapes of the objects that the simulated cluster holds. Plain JSON, frozen when stored and shared from then on: a
 * reader that changes one fails at once, instead of changing history under everybody else.
 */
import type { Json, JsonObject } from '../lib/json.ts';

export interface OwnerReference extends JsonObject {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface Meta extends JsonObject {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  generation?: number;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

export interface KubeObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: Meta;
}

/** A resource type: where it lives in the API and what it is called in messages. */
export interface Resource {
  readonly plural: string;
  readonly kind: string;
  readonly group: string;
  readonly version: string;
}

export const configMaps: Resource = { plural: 'configmaps', kind: 'ConfigMap', group: '', version: 'v1' };
export const secrets: Resource = { plural: 'secrets', kind: 'Secret', group: '', version: 'v1' };
export const pods: Resource = { plural: 'pods', kind: 'Pod', group: '', version: 'v1' };
export const events: Resource = { plural: 'events', kind: 'Event', group: '', version: 'v1' };
export const jobs: Resource = { plural: 'jobs', kind: 'Job', group: 'batch', version: 'v1' };
export const leases: Resource = { plural: 'leases', kind: 'Lease', group: 'coordination.k8s.io', version: 'v1' };
export const resources: readonly Resource[] = [configMaps, secrets, pods, events, jobs, leases];

/** `batch/v1`, `v1`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `jobs.batch`, `configmaps`: as messages and quotas name a type. */
export function qualified(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** RFC 3339 in whole seconds: the API server cuts, it does not round. */
export function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** Copies JSON and leaves out undefined members, as a trip over the wire would. */
export function copy<T extends Json>(value: T): T {
  return copyAny(value) as T;
}

function copyAny(value: Json): Json {
  if (Array.isArray(value)) return value.map(copyAny);
  if (typeof value !== 'object' || value === null) return value;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member !== undefined) result[key] = copyAny(member);
  }
  return result;
}

/** Freezes deeply; parts that are frozen already are shared and not walked again. */
export function freeze<T extends Json>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) if (member !== undefined) freeze(member);
  return value;
}

/** Deep equality of JSON. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && equalLists(a, b);
  const keys = Object.keys(a).filter((key) => a[key] !== undefined);
  if (keys.length !== Object.keys(b).filter((key) => b[key] !== undefined).length) return false;
  return keys.every((key) => equal(a[key], b[key]));
}

function equalLists(a: readonly Json[], b: readonly Json[]): boolean {
  return a.length === b.length && a.every((item, index) => equal(item, b[index]));
}
