/** The manifest of a drain Job: what the user wrote, and what job-chief adds to it. */
import { arrayAt, isObject, objectAt, stringAt, type Json, type JsonObject } from '../lib/json.ts';
import * as keys from '../spec/keys.ts';
import type { QueueSpec } from '../spec/queue.ts';
import type { DrainBlueprint } from './action.ts';
import type { PlanEnvironment } from './environment.ts';
import { jobName } from './job-name.ts';
import type { UpkeepNote } from './notes.ts';
import type { Claim, SpecKey } from './observed.ts';

/** Added to startTimeout + timeout as activeDeadlineSeconds: a backstop while job-chief is away, never the rule. */
const backstop = 30_000;

/** Everything about the next Job of the queue but its sequence. */
export function drainBlueprint(key: SpecKey, spec: QueueSpec, claim: Claim, context: { pods: number; environment: PlanEnvironment }): DrainBlueprint {
  const { environment, pods } = context;
  const labels = jobLabels(key, environment.instance);
  const user = objectAt(spec.jobTemplate, 'metadata');
  const jobSpec = objectAt(spec.jobTemplate, 'spec');
  return {
    key,
    name: spec.name,
    identity: [environment.instance, key.kind, spec.name, spec.source.type, spec.source.connection, spec.source.schema ?? '', spec.source.queue],
    manifest: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        namespace: environment.namespace,
        labels: { ...objectAt(user, 'labels'), ...spec.jobMetadata.labels, ...labels },
        annotations: { ...objectAt(user, 'annotations'), ...spec.jobMetadata.annotations, ...jobAnnotations(spec, claim) },
        ...owner(spec, claim),
      },
      spec: {
        ...jobSpec,
        ...deadline(spec),
        parallelism: pods,
        template: podTemplate(objectAt(jobSpec, 'template'), { spec, labels, environment }),
      },
    },
  };
}

/** The whole Job. Its name depends on queue and sequence only, so that whoever creates this sequence meets the same name. */
export function drainJob(blueprint: DrainBlueprint, sequence: number): JsonObject {
  const name = drainJobName(blueprint, sequence);
  const metadata = objectAt(blueprint.manifest, 'metadata');
  const spec = objectAt(blueprint.manifest, 'spec');
  const template = objectAt(spec, 'template');
  const podMetadata = objectAt(template, 'metadata');
  const run = { [keys.runLabel]: String(sequence), [keys.attemptLabel]: '1' };
  return {
    ...blueprint.manifest,
    metadata: { ...metadata, name, labels: { ...objectAt(metadata, 'labels'), ...run } },
    spec: {
      ...spec,
      template: {
        ...template,
        metadata: { ...podMetadata, labels: { ...objectAt(podMetadata, 'labels'), ...run } },
        spec: withEnv(objectAt(template, 'spec'), [literal('JOB_CHIEF_RUN', String(sequence)), literal('JOB_CHIEF_ATTEMPT', '1')]),
      },
    },
  };
}

/** The name that every controller tries for this sequence: the lock (docs/adr/0002-names-as-locks.md). */
export function drainJobName(blueprint: DrainBlueprint, sequence: number): string {
  return jobName(blueprint.name, [...blueprint.identity, sequence, 1]);
}

/** The manifest for a dry run: no name, so that it meets no existing Job. */
export function dryRunJob(blueprint: DrainBlueprint): JsonObject {
  const job = drainJob(blueprint, 1);
  const { name: _name, ...metadata } = objectAt(job, 'metadata');
  return { ...job, metadata: { ...metadata, generateName: 'job-chief-check-' } };
}

function jobLabels(key: SpecKey, instance: string): Record<string, string> {
  return { [keys.managedByLabel]: keys.managedBy, [keys.instanceLabel]: instance, [keys.jobKindLabel]: key.kind, [keys.nameLabel]: key.name };
}

function jobAnnotations(spec: QueueSpec, claim: Claim): Record<string, string> {
  return {
    [keys.nameAnnotation]: spec.name,
    [keys.queueAnnotation]: spec.source.queue,
    [keys.connectionAnnotation]: spec.source.connection,
    [keys.specHashAnnotation]: spec.hash,
    [keys.onSpecDeleteAnnotation]: spec.onSpecDelete,
    [keys.upkeepAnnotation]: JSON.stringify(upkeepNote(spec)),
    ...(claim.source.kind === 'file' ? { [keys.specSourceAnnotation]: 'file' } : {}),
  };
}

function upkeepNote(spec: QueueSpec): UpkeepNote {
  const rule = ({ count, age }: { count: number | undefined; age: number | undefined }): UpkeepNote['failed'] => ({
    ...(count === undefined ? {} : { count }),
    ...(age === undefined ? {} : { age }),
  });
  return {
    startTimeout: spec.startTimeout,
    ...(spec.timeout === undefined ? {} : { timeout: spec.timeout }),
    succeeded: rule(spec.retention.succeeded),
    failed: rule(spec.retention.failed),
  };
}

/** No blockOwnerDeletion: it would ask for the right to update configmaps/finalizers. */
function owner(spec: QueueSpec, claim: Claim): JsonObject {
  if (claim.source.kind !== 'configMap' || spec.onSpecDelete === 'finish') return {};
  return { ownerReferences: [ownerReference(claim.source)] };
}

/** `controller: true`: the garbage collector and GitOps tools take the Job for the ConfigMap's. */
export function ownerReference(source: { readonly name: string; readonly uid: string }): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: source.name, uid: source.uid, controller: true };
}

function deadline(spec: QueueSpec): JsonObject {
  if (spec.timeout === undefined) return {};
  return { activeDeadlineSeconds: Math.ceil((spec.startTimeout + spec.timeout + backstop) / 1000) };
}

function podTemplate(template: JsonObject, context: { spec: QueueSpec; labels: Record<string, string>; environment: PlanEnvironment }): JsonObject {
  const { spec, labels, environment } = context;
  const user = objectAt(template, 'metadata');
  const injected = spec.injectConnection ? environment.injection(spec.source.connection, spec.source.schema) : undefined;
  const env = [
    literal('QUEUE_NAME', spec.source.queue),
    literal('JOB_CHIEF_KIND', 'queue'),
    literal('JOB_CHIEF_NAME', spec.name),
    ...(injected?.env ?? []),
  ];
  const pod = withEnv(objectAt(template, 'spec'), env);
  return {
    ...template,
    metadata: {
      ...user,
      labels: { ...objectAt(user, 'labels'), ...spec.podMetadata.labels, ...labels },
      annotations: { ...objectAt(user, 'annotations'), ...spec.podMetadata.annotations },
    },
    spec: injected ? withVolumes(pod, injected) : pod,
  };
}

const literal = (name: string, value: string): JsonObject => ({ name, value });

/** Ours come first, so that the user's values can refer to them; the user's of the same name are dropped. */
function withEnv(pod: JsonObject, env: readonly JsonObject[]): JsonObject {
  const ours = new Set(env.map((entry) => entry['name']));
  return eachContainer(pod, (container) => ({
    ...container,
    env: [...env, ...arrayAt(container, 'env').filter((entry) => !(isObject(entry) && ours.has(entry['name'])))],
  }));
}

function withVolumes(pod: JsonObject, injected: { volumes: readonly JsonObject[]; volumeMounts: readonly JsonObject[] }): JsonObject {
  if (injected.volumes.length === 0) return pod;
  const mounted = eachContainer(pod, (container) => ({ ...container, volumeMounts: [...arrayAt(container, 'volumeMounts'), ...injected.volumeMounts] }));
  return { ...mounted, volumes: [...arrayAt(pod, 'volumes'), ...injected.volumes] };
}

function eachContainer(pod: JsonObject, change: (container: JsonObject) => JsonObject): JsonObject {
  const changed = (key: string): JsonObject => {
    const list = arrayAt(pod, key);
    return list.length === 0 ? {} : { [key]: list.map((entry): Json => (isObject(entry) ? change(entry) : entry)) };
  };
  return { ...pod, ...changed('initContainers'), ...changed('containers') };
}

/** The spec hash that a blueprint was made from. */
export function drainSpecHash(blueprint: DrainBlueprint): string {
  return stringAt(objectAt(objectAt(blueprint.manifest, 'metadata'), 'annotations'), keys.specHashAnnotation) ?? '';
}
