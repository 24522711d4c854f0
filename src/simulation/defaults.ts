/** What the API server fills in on Jobs and Pods, as far as anything here or in job-chief looks at it. */
import { isObject, type JsonObject, objectAt } from '../lib/json.ts';
import type { JobObject, JobSpec, PodObject, PodSpec } from './job-shape.ts';
import type { KubeObject } from './objects.ts';

/** A Job as it is stored: defaults, selector, and the labels that tie its pods to it. */
export function withJobDefaults(object: KubeObject): JobObject {
  const given = objectAt(object, 'spec');
  const template = objectAt(given, 'template');
  const { uid, name } = object.metadata;
  const own = { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name, 'controller-uid': uid, 'job-name': name };
  const templateMeta = objectAt(template, 'metadata');
  const labels = { ...(objectAt(templateMeta, 'labels') as Record<string, string>), ...own };
  const spec = {
    ...numbers(given),
    completionMode: 'NonIndexed',
    suspend: false,
    // Measured: with a podFailurePolicy a replacement waits until the old pod is gone.
    podReplacementPolicy: isObject(given['podFailurePolicy']) ? 'Failed' : 'TerminatingOrFailed',
    ...given,
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
    template: { ...template, metadata: { ...templateMeta, labels }, spec: withPodSpecDefaults(objectAt(template, 'spec')) },
  } as unknown as JobSpec;
  const meta = { ...object.metadata, generation: 1, labels: object.metadata.labels ?? labels };
  return { ...object, metadata: meta, spec, status: {} };
}

/** Neither count given means one pod; only parallelism given means a work queue without completions. */
function numbers(spec: JsonObject): JsonObject {
  const neither = spec['parallelism'] === undefined && spec['completions'] === undefined;
  return {
    parallelism: 1,
    ...(neither ? { completions: 1 } : {}),
    backoffLimit: spec['backoffLimitPerIndex'] === undefined ? 6 : 2_147_483_647,
  };
}

/** A Pod as it is stored: pending, with nothing known about its containers. */
export function withPodDefaults(object: KubeObject): PodObject {
  return { ...object, spec: withPodSpecDefaults(objectAt(object, 'spec')), status: { phase: 'Pending' } };
}

function withPodSpecDefaults(spec: JsonObject): PodSpec {
  return { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst', schedulerName: 'default-scheduler', securityContext: {}, containers: [], ...spec };
}
