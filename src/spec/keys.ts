/**
 * Every label, annotation, data key and reserved name that job-chief reads or writes. The only file that spells them.
 */

/** Label that makes a ConfigMap a spec; its value is the kind in lower case. Written by users. */
export const kindLabel = 'job-chief';
/** Label that hands a spec to one instance; absent means `default`. On Jobs and Pods: the instance that made them. */
export const instanceLabel = 'job-chief/instance';
export const defaultInstance = 'default';
/** Data key that holds the spec, and its largest size in bytes. */
export const specKey = 'spec.yaml';
export const specSizeLimit = 256 * 1024;
/** Above this kubectl's last-applied annotation (262,144 bytes in all) no longer fits: lint warns. */
export const specSizeWarning = 200 * 1024;
export const apiVersion = 'job-chief/v1';

/** Labels on Jobs and Pods. Values that do not fit a label are cut and hashed; the exact text is the annotation of the same name. */
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedBy = 'job-chief';
export const jobKindLabel = 'job-chief/kind';
export const nameLabel = 'job-chief/name';
/** For drain Jobs: the drain sequence, one higher for each Job of the queue. */
export const runLabel = 'job-chief/run';
export const attemptLabel = 'job-chief/attempt';
/** Group whose limit the Job counts against. */
export const groupLabel = 'job-chief/group';
/** For Jobs of runs: step and item; the exact step name is the annotation of the same name. job-chief/run is the record's name. */
export const stepLabel = 'job-chief/step';
export const indexLabel = 'job-chief/index';
/** `true` on Jobs that undo a step; absent on those that do it. Both carry the same step, and either may live while the other's Job is not over yet. */
export const undoLabel = 'job-chief/undo';

/** Label of what job-chief keeps for itself: `run` (a record), `files`, `items` and `payload` (what its Jobs mount), `history` (of a queue). */
export const recordLabel = 'job-chief-record';
export const historyRole = 'history';
/** Data key of a history, under binaryData. */
export const historyKey = 'history.json.gz';
/** Annotations of a record: why the run exists (JSON, never changed) and what it came to (JSON). */
export const requestAnnotation = 'job-chief/request';
export const resultAnnotation = 'job-chief/result';
/** Annotations that people write on a record: any reason; "true"; `step,other=rejected`. */
export const cancelAnnotation = 'job-chief/cancel';
export const suspendAnnotation = 'job-chief/suspend';
export const approvalsAnnotation = 'job-chief/approvals';
/** Data keys of a record, beside `spec.yaml`. A state that is large is compressed, under binaryData. */
export const parametersKey = 'parameters.json';
export const stateKey = 'state.json';
export const compressedStateKey = 'state.json.gz';
/** The files that its spec names, as one compressed document: what the map that pods mount is made from, and made from again. */
export const filesKey = 'files.json.gz';
/** What that map's name ends in, behind the name of the record. */
export const filesMapSuffix = '-files';

/** Annotations on Jobs. */
export const nameAnnotation = 'job-chief/name';
export const stepAnnotation = 'job-chief/step';
export const queueAnnotation = 'job-chief/queue';
export const connectionAnnotation = 'job-chief/connection';
export const specHashAnnotation = 'job-chief/spec-hash';
export const onSpecDeleteAnnotation = 'job-chief/on-spec-delete';
/** Present on Jobs of specs that came from files: nothing in the cluster owns them. */
export const specSourceAnnotation = 'job-chief/spec-source';
/** What retention and waits need, so that they work after the spec is gone (JSON). */
export const upkeepAnnotation = 'job-chief/upkeep';
/** Written when job-chief gives up on a Job, and when it first sees it finished (JSON, see plan/outcome.ts). */
export const outcomeAnnotation = 'job-chief/outcome';

/** On Jobs for messages: what settling needs, and what has become of the message (JSON, see plan/messages/message.ts). */
export const messageAnnotation = 'job-chief/message';
export const settledAnnotation = 'job-chief/settled';
/** On a Job for several messages: the same of each, as a list by completion index; and that it was let go. */
export const batchAnnotation = 'job-chief/batch';
export const committedAnnotation = 'job-chief/committed';
/** What has become of the message of an index: an annotation of its own for each, so that no write can undo another. */
export function settledIndexAnnotation(index: number): string {
  return `${settledIndexPrefix}${index}`;
}
export const settledIndexPrefix = 'settled.job-chief/';

/** Annotation that people write on a Job or on a record: until when retention leaves it, whatever the spec says. */
export const keepUntilAnnotation = 'job-chief/keep-until';

/** Written on spec ConfigMaps. */
export const statusAnnotation = 'job-chief/status';
/** `Healthy`, `Progressing` or `Degraded`, in a key of its own: health checks of GitOps tools cannot read JSON. */
export const healthAnnotation = 'job-chief/health';
export const stateLabel = 'job-chief/state';
export const fieldManager = 'job-chief';

/** Kueue's own: says in which of its queues a Job is. It alone suspends such a Job, and resumes it. */
export const kueueQueueLabel = 'kueue.x-k8s.io/queue-name';

/** Flux's own: `disabled`, as an annotation or as a label, keeps it from replacing `${…}` in an object. */
export const fluxSubstituteKey = 'kustomize.toolkit.fluxcd.io/substitute';

/** Reserved inside pods. */
export const reservedEnvPrefix = 'JOB_CHIEF_';
export const reservedEnv: readonly string[] = ['JOB_COMPLETION_INDEX'];
export const reservedMountPath = '/job-chief';
/** Where the body of a message is, unless the spec says otherwise. */
export const payloadPath = '/job-chief/message';
/** Where the id of a message is that is one of a batch: its pods share their environment. */
export const messageIdPath = '/job-chief/message-id';
/** Where a step's item is, and where it writes its outputs: the termination message, which needs no rights and no sidecar. */
export const itemPath = '/job-chief/item';
export const outputEnv = 'JOB_CHIEF_OUTPUT';
