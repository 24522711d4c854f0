/** Fields of Kubernetes and of later versions that a spec may not set, and what to write instead. */
import { kubernetesVersion } from './generated/kubernetes-job.ts';
import type { FieldPath } from './field-path.ts';
import { pathText } from './field-path.ts';
import type { ProblemCode } from './problem-codes.ts';

const timeout = 'use the timeout of the spec, which job-chief enforces from the first started container on';
const stepTimeout = 'use the timeout of the step, which job-chief enforces from the first started container on';
const drainPods = 'set drain.pods, from which job-chief computes how many pods run at once';
const workQueue = 'a drain Job is a work queue: its pods fetch for themselves until nothing is left, so it has no indexes and no completions; set drain.pods';
const selector = 'remove it, the Job controller makes the selector itself';

/** Refused in the Job's spec of every kind, in both forms. */
const refusedAnywhere: Readonly<Record<string, string>> = {
  ttlSecondsAfterFinished: 'use retention of the spec, which keeps the Jobs that are still needed as records',
  suspend: 'use suspend of the spec; for Kueue set the label kueue.x-k8s.io/queue-name through jobMetadata, Kueue suspends Jobs itself',
  selector,
  manualSelector: selector,
};

/** Refused in the Job's spec of a Queue with perMessage or perBatch, and in that of a Template: such a Job may have as many pods as it likes. */
export const refusedTemplateFields: Readonly<Record<string, string>> = { activeDeadlineSeconds: timeout, ...refusedAnywhere };

/** Refused beside these in a Queue with drain. The schema, which is that of both, has them. */
export const drainJobFields: Readonly<Record<string, string>> = {
  parallelism: drainPods,
  completions: workQueue,
  completionMode: workQueue,
  successPolicy: workQueue,
  backoffLimitPerIndex: workQueue,
  maxFailedIndexes: workQueue,
};

/** All that is refused in the Job's spec of a Queue with drain. */
export const refusedJobFields: Readonly<Record<string, string>> = { ...refusedTemplateFields, ...drainJobFields };

/** Refused in the Job's spec of a step: it may have as many pods as it likes. */
export const refusedStepFields: Readonly<Record<string, string>> = { activeDeadlineSeconds: stepTimeout, ...refusedAnywhere };

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

/** What to say about a field that is known and not wanted. */
export interface FieldExplanation {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint: string;
  /** The field to use instead: that it is missing need not be said as well. */
  readonly instead?: FieldPath;
}

/** What can be said about the fields of one kind beyond its schema. */
export interface FieldNotes {
  /** Why a field that the schema does not know is not simply unknown. */
  explain(path: FieldPath): FieldExplanation | undefined;
  /** Refused fields of the mapping at `path`, and why: a misspelt one is still one of them. */
  refusedUnder(path: FieldPath): Readonly<Record<string, string>>;
  /** Whether the field is one of Kubernetes, which a newer cluster may know. */
  isOfKubernetes(path: FieldPath): boolean;
}

/** For documents without a Job. */
export const noNotes: FieldNotes = { explain: () => undefined, refusedUnder: () => ({}), isOfKubernetes: () => false };

/** How a kind says where its Jobs are. */
interface NoteOptions {
  /** The part of a path that begins with `job` or `jobTemplate`; undefined: not in a Job. */
  readonly inJob: (path: FieldPath) => FieldPath | undefined;
  readonly refusedInJob: Readonly<Record<string, string>>;
  readonly unsupported: (path: FieldPath) => FieldExplanation | undefined;
}

/** Notes of a kind whose specs describe Jobs. */
export function jobNotes({ inJob, refusedInJob, unsupported }: NoteOptions): FieldNotes {
  const refusedUnder = (path: FieldPath): Readonly<Record<string, string>> => refusedFields(pathText(inJob(path) ?? []), refusedInJob);
  return {
    refusedUnder,
    isOfKubernetes: (path) => inJob(path) !== undefined,
    explain: (path) => {
      const known = unsupported(path);
      if (known) return known;
      const [field, parent] = [String(path.at(-1)), path.slice(0, -1)];
      const refused = refusedUnder(parent);
      const hint = Object.hasOwn(refused, field) ? refused[field] : metadataPaths.has(pathText(inJob(parent) ?? [])) ? templateMetadata : undefined;
      return hint === undefined ? undefined : { code: 'RefusedField', message: `"${field}" must not be set here`, hint };
    },
  };
}

const metadataPaths = new Set(['jobTemplate.metadata', 'jobTemplate.spec.template.metadata']);

function refusedFields(parent: string, refusedInJob: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  switch (parent) {
    case 'job':
      return { ...refusedPodFields, ...refusedInJob, ...refusedRecipeFields };
    case 'jobTemplate.spec':
      return refusedInJob;
    case 'jobTemplate.spec.template.spec':
      return refusedPodFields;
    default:
      return {};
  }
}

/** Fields of the design that this version does not have, by path, and what it has. */
const unsupportedInQueue: ReadonlyMap<string, string> = new Map([
  ['parameters', 'perMessage.parameters'],
  ['perMessage.template', 'template'],
  ['perMessage.workflow', 'workflow'],
  ['jobFile', 'job and jobTemplate'],
  ['jobFiles', 'job and jobTemplate'],
  ['files', 'job and jobTemplate'],
]);

/** A field of other versions, and the one that this version has for it. */
export function unsupportedField(path: FieldPath, supported: string | undefined): FieldExplanation | undefined {
  if (supported === undefined) return undefined;
  return { code: 'UnsupportedField', message: `"${String(path.at(-1))}" is not supported by this version, which supports ${supported}`, hint: `use ${supported}`, instead: supported.split('.') };
}

/** Notes on the fields of a Queue with drain. */
export const queueNotes: FieldNotes = notesOfQueue(refusedJobFields);
/** Notes on the fields of a Queue with perMessage or perBatch. */
export const messageQueueNotes: FieldNotes = notesOfQueue(refusedTemplateFields);

function notesOfQueue(refusedInJob: Readonly<Record<string, string>>): FieldNotes {
  return jobNotes({
    inJob: (path) => (path[0] === 'job' || path[0] === 'jobTemplate' ? path : undefined),
    refusedInJob,
    unsupported: (path) => unsupportedField(path, unsupportedInQueue.get(pathText(path))),
  });
}

/** Said with every unknown field of a Job, since a newer cluster may know it. */
export const jobSchemaNote = `the Job fields known here are those of Kubernetes ${kubernetesVersion}`;
