/** Parts that the manifests of all Jobs share, whatever asked for them. Reads anything that a user may have written. */
import { arrayAt, isObject, objectAt, type Json, type JsonObject } from '../lib/json.ts';
import type { Concurrency, ExtraMetadata } from '../spec/common.ts';
import { reservedMetadataOwner } from '../spec/job-rules.ts';
import * as keys from '../spec/keys.ts';

/** Added to startTimeout + timeout as activeDeadlineSeconds: a backstop while job-chief is away, never the rule. */
const backstop = 30_000;

/** Whole seconds for activeDeadlineSeconds; undefined without a timeout: a Job that may run without limit gets none (docs/adr/0006-timeouts-travel-on-the-job.md). */
export function deadlineSeconds({ startTimeout, timeout }: { readonly startTimeout: number; readonly timeout: number | undefined }): number | undefined {
  return timeout === undefined ? undefined : Math.ceil((startTimeout + timeout + backstop) / 1000);
}

/** Labels by which an instance knows its Jobs and their pods. `name` as a label value. */
export function jobLabels(kind: string, name: string, instance: string): Record<string, string> {
  return { [keys.managedByLabel]: keys.managedBy, [keys.instanceLabel]: instance, [keys.jobKindLabel]: kind, [keys.nameLabel]: name };
}

/** The group's label, where a spec has a group. */
export function groupLabels({ concurrency: { group } }: { readonly concurrency: Concurrency }): Record<string, string> {
  return group === undefined ? {} : { [keys.groupLabel]: group };
}

/** Labels and annotations: what the template says, then what the spec says for all its Jobs, then ours. */
export function mergedMetadata(template: JsonObject, extra: ExtraMetadata, ours: Partial<ExtraMetadata>): JsonObject {
  return {
    labels: { ...withoutReserved(objectAt(template, 'labels')), ...extra.labels, ...ours.labels },
    annotations: { ...withoutReserved(objectAt(template, 'annotations')), ...extra.annotations, ...ours.annotations },
  };
}

/** A spec with such a key is refused; one that came with the value of a parameter must not speak for job-chief either. */
function withoutReserved(metadata: JsonObject): JsonObject {
  const names = Object.keys(metadata);
  return names.some((name) => reservedMetadataOwner(name) !== undefined) ? Object.fromEntries(Object.entries(metadata).filter(([name]) => reservedMetadataOwner(name) === undefined)) : metadata;
}

/** `controller: true`: the garbage collector and GitOps tools take the object for the ConfigMap's. */
export function ownerReference(source: { readonly name: string; readonly uid: string }): JsonObject {
  // No blockOwnerDeletion: it would ask for the right to update configmaps/finalizers.
  return { apiVersion: 'v1', kind: 'ConfigMap', name: source.name, uid: source.uid, controller: true };
}

/** For the metadata of what a run makes: nothing owns it where the run has no ConfigMap. */
export function ownedBy(record: { readonly name: string; readonly uid: string; readonly ownerless?: true }): JsonObject {
  return record.ownerless === true ? {} : { ownerReferences: [ownerReference(record)] };
}

/** One entry of a container's env. */
export function literal(name: string, value: string): JsonObject {
  return { name, value };
}

/** In every container, init containers too. */
export function withEnv(pod: JsonObject, env: readonly JsonObject[]): JsonObject {
  return eachContainer(pod, (container) => prependEnv(container, env));
}

/** Ours come first, so that the user's values can refer to them; the user's of the same name, and those in `dropped`, go. */
export function prependEnv(container: JsonObject, env: readonly JsonObject[], dropped: readonly string[] = []): JsonObject {
  const ours = new Set<Json | undefined>([...env.map((entry) => entry['name']), ...dropped]);
  return { ...container, env: [...env, ...arrayAt(container, 'env').filter((entry) => !(isObject(entry) && ours.has(entry['name'])))] };
}

export interface Mounts {
  readonly volumes: readonly JsonObject[];
  readonly volumeMounts: readonly JsonObject[];
}

/** Mounted in every container, init containers too. */
export function withVolumes(pod: JsonObject, { volumes, volumeMounts }: Mounts): JsonObject {
  if (volumes.length === 0) return pod;
  const mounted = eachContainer(pod, (container) => ({ ...container, volumeMounts: [...arrayAt(container, 'volumeMounts'), ...volumeMounts] }));
  return { ...mounted, volumes: [...arrayAt(pod, 'volumes'), ...volumes] };
}

/** The pod with its containers changed. `regular`: not an init container. */
export function eachContainer(pod: JsonObject, change: (container: JsonObject, regular: boolean) => JsonObject): JsonObject {
  const changed = (key: string, regular: boolean): JsonObject => {
    const list = arrayAt(pod, key);
    return list.length === 0 ? {} : { [key]: list.map((entry): Json => (isObject(entry) ? change(entry, regular) : entry)) };
  };
  return { ...pod, ...changed('initContainers', false), ...changed('containers', true) };
}

/** The manifest for a dry run: no name, so that it meets no existing Job. */
export function dryRunOf(job: JsonObject): JsonObject {
  const { name: _name, ...metadata } = objectAt(job, 'metadata');
  return { ...job, metadata: { ...metadata, generateName: 'job-chief-check-' } };
}
