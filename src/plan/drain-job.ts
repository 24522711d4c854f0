/** The manifest of a drain Job: what the user wrote, and what job-chief adds to it. */
import { objectAt, stringAt, type JsonObject } from '../lib/json.ts';
import * as keys from '../spec/keys.ts';
import type { DrainQueueSpec } from '../spec/queue.ts';
import { queueOf, sourceIdentity } from '../spec/queue-source.ts';
import type { CheckedManifest, DrainBlueprint } from './action.ts';
import type { Injection, PlanEnvironment } from './environment.ts';
import { jobName } from './job-name.ts';
import { dryRunOf, groupLabels, jobLabels, literal, mergedMetadata, withEnv, withVolumes } from './manifest.ts';
import type { Claim, SpecKey } from './observed.ts';
import { queueAnnotations, queueDeadline, queueOwner } from './queue-job.ts';

/** Everything about the next Job of the queue but its sequence. */
export function drainBlueprint(key: SpecKey, spec: DrainQueueSpec, claim: Claim, context: { pods: number; environment: PlanEnvironment }): DrainBlueprint {
  const { environment, pods } = context;
  const labels = { ...jobLabels(key.kind, key.name, environment.instance), ...groupLabels(spec) };
  const user = objectAt(spec.jobTemplate, 'metadata');
  const jobSpec = objectAt(spec.jobTemplate, 'spec');
  const injected = spec.injectConnection ? environment.injection(spec.source) : undefined;
  return {
    key,
    name: spec.name,
    identity: [environment.instance, key.kind, spec.name, ...sourceIdentity(spec.source)],
    manifest: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        namespace: environment.namespace,
        ...mergedMetadata(user, spec.jobMetadata, { labels, annotations: queueAnnotations(spec, claim) }),
        ...queueOwner(spec, claim),
      },
      spec: {
        ...jobSpec,
        ...queueDeadline(spec),
        parallelism: pods,
        template: podTemplate(objectAt(jobSpec, 'template'), { spec, labels, injected }),
      },
    },
    ...(injected ? { ours: [...injected.env, ...injected.volumes] } : {}),
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
export function dryRunJob(blueprint: DrainBlueprint): CheckedManifest {
  return { what: '', manifest: dryRunOf(drainJob(blueprint, 1)), ...(blueprint.ours && { ours: blueprint.ours }) };
}

function podTemplate(template: JsonObject, { spec, labels, injected }: { spec: DrainQueueSpec; labels: Record<string, string>; injected: Injection | undefined }): JsonObject {
  const user = objectAt(template, 'metadata');
  const env = [
    literal('QUEUE_NAME', queueOf(spec.source)),
    literal('JOB_CHIEF_KIND', 'queue'),
    literal('JOB_CHIEF_NAME', spec.name),
    ...(injected?.env ?? []),
  ];
  const pod = withEnv(objectAt(template, 'spec'), env);
  return {
    ...template,
    metadata: { ...user, ...mergedMetadata(user, spec.podMetadata, { labels }) },
    spec: injected ? withVolumes(pod, injected) : pod,
  };
}

/** The spec hash that a blueprint was made from. */
export function drainSpecHash(blueprint: DrainBlueprint): string {
  return stringAt(objectAt(objectAt(blueprint.manifest, 'metadata'), 'annotations'), keys.specHashAnnotation) ?? '';
}
