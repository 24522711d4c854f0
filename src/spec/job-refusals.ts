/** Fields of Kubernetes and of later versions that a spec may not set, and what to write instead. */
import { kubernetesVersion } from './generated/kubernetes-job.ts';
import type { FieldPath } from './field-path.ts';
import { pathText } from './field-path.ts';
import type { ProblemCode } from './problem-codes.ts';

const timeout = 'use the timeout of the spec, which job-chief enforces from the first started container on';
const drainPods = 'set drain.pods, from which job-chief computes how many pods run at once';
const workQueue = 'a drain Job is a work queue: its pods fetch for themselves until nothing is left, so it has no indexes and no completions; set drain.pods';
const selector = 'remove it, the Job controller makes the selector itself';

/** Refused in the Job's spec, in both forms. */
export const refusedJobFields: Readonly<Record<string, string>> = {
  activeDeadlineSeconds: timeout,
  ttlSecondsAfterFinished: 'use retention of the spec, which keeps the Jobs that are still needed as records',
  suspend: 'use suspend of the spec; for Kueue set the label kueue.x-k8s.io/queue-name through jobMetadata, Kueue suspends Jobs itself',
  selector,
  manualSelector: selector,
  parallelism: drainPods,
  completions: workQueue,
  completionMode: workQueue,
  successPolicy: workQueue,
  backoffLimitPerIndex: workQueue,
  maxFailedIndexes: workQueue,
};

/** Refused in the pod's spec, in both forms. */
export const refusedPodFields: Readonly<Record<string, string>> = {
  activeDeadlineSeconds: timeout,
  ephemeralContainers: 'remove it, the API server takes it only for pods that run',
};

/** Refused in the flat recipe only. */
export const refusedRecipeFields: Readonly<Record<string, string>> = {
  name: 'remove it: job-chief names the Job, and the container is called main',
  containers: 'a job has one container, whose fields stand directly in it; for several use jobTemplate, a whole JobTemplateSpec',
  template: 'use jobTemplate, a whole JobTemplateSpec',
  spec: 'the fields stand directly in job; for a whole JobTemplateSpec use jobTemplate',
  metadata: 'use jobMetadata and podMetadata of the spec',
  restartPolicyRules: 'use jobTemplate, where a container has a restartPolicy of its own',
};

const templateMetadata = 'a template may only set labels and annotations; job-chief names and owns its Jobs';

/** Fields of the design that this version does not have, by path. */
const unsupported: ReadonlyMap<string, string> = new Map([
  ['source.amqp', 'source.pgBoss'],
  ['source.sqs', 'source.pgBoss'],
  ['perMessage', 'drain'],
  ['perBatch', 'drain'],
  ['template', 'job and jobTemplate'],
  ['workflow', 'job and jobTemplate'],
  ['jobFile', 'job and jobTemplate'],
  ['jobFiles', 'job and jobTemplate'],
  ['files', 'job and jobTemplate'],
  ['concurrency.group', 'concurrency.max'],
  ['concurrency.priority', 'concurrency.max'],
]);

/** What to say about a field that is known and not wanted. */
export interface FieldExplanation {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint: string;
  /** The field to use instead: that it is missing need not be said as well. */
  readonly instead?: FieldPath;
}

/** Why a field that the schema does not know is not simply unknown. */
export function explainField(path: FieldPath): FieldExplanation | undefined {
  const field = String(path.at(-1));
  const text = pathText(path);
  const supported = unsupported.get(text);
  if (supported !== undefined) {
    return { code: 'UnsupportedField', message: `"${field}" is not supported by this version, which supports ${supported}`, hint: `use ${supported}`, instead: supported.split('.') };
  }
  const refused = refusal(pathText(path.slice(0, -1)), field);
  return refused === undefined ? undefined : { code: 'RefusedField', message: `"${field}" must not be set here`, hint: refused };
}

function refusal(parent: string, field: string): string | undefined {
  const table = refusedUnder(parent);
  if (Object.hasOwn(table, field)) return table[field];
  return metadataPaths.has(parent) ? templateMetadata : undefined;
}

const metadataPaths = new Set(['jobTemplate.metadata', 'jobTemplate.spec.template.metadata']);

/** Refused fields of one mapping, and why: a misspelt one is still one of them. */
export function refusedUnder(parent: string): Readonly<Record<string, string>> {
  switch (parent) {
    case 'job':
      return { ...refusedPodFields, ...refusedJobFields, ...refusedRecipeFields };
    case 'jobTemplate.spec':
      return refusedJobFields;
    case 'jobTemplate.spec.template.spec':
      return refusedPodFields;
    default:
      return {};
  }
}

/** Said with every unknown field of a Job, since a newer cluster may know it. */
export const jobSchemaNote = `the Job fields known here are those of Kubernetes ${kubernetesVersion}`;
