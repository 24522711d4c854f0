/** A raw Job, cut down to what decisions need: about half a KiB instead of three or more. */
import { arrayAt, numberAt, objectAt, stringAt } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json.ts';
import { groupLabel, jobKindLabel, keepUntilAnnotation, kueueQueueLabel, nameLabel, onSpecDeleteAnnotation, outcomeAnnotation, runLabel, specHashAnnotation, specSourceAnnotation, upkeepAnnotation } from '../../spec/keys.ts';
import type { ObservedJob, SpecKey, StepJobFacts } from '../../plan/observed.ts';
import type { Place } from '../../reconcile/ports.ts';
import type { RecordedOutcome, UpkeepNote } from '../../plan/notes.ts';
import { Interner } from './interner.ts';
import { annotationsOf, controllerOf, countAt, keyOf, labelsOf, timeAt } from './labels.ts';
import { newSharedNotes, readBatchFacts, readMessageFacts, type SharedNotes } from './message-notes.ts';
import { readKeep, readOutcome, readUpkeep } from './notes.ts';
import { stepJobFacts } from './project-step.ts';
import { identityOf } from './watch-event.ts';

/** What the cache keeps: pods are joined when somebody looks. */
export type CachedJob = Omit<ObservedJob, 'pods'> & { readonly key: SpecKey; readonly place: Place; /** What it says of how long it is to stay, where nobody can read that. */ readonly unreadKeep?: string };

/** Texts and values that many Jobs share. */
export interface Shared {
  readonly texts: Interner<string>;
  readonly upkeeps: Interner<UpkeepNote | null>;
  readonly outcomes: Interner<RecordedOutcome | null>;
  readonly keys: Interner<SpecKey>;
  readonly places: Interner<Place>;
  /** Steps differ by their names, hardly by these. */
  readonly steps: Interner<StepJobFacts>;
  readonly notes: SharedNotes;
}

export function newShared(): Shared {
  return {
    texts: new Interner((text) => text),
    upkeeps: new Interner((text) => readUpkeep(text) ?? null),
    outcomes: new Interner((text) => readOutcome(text) ?? null),
    keys: new Interner((text) => JSON.parse(text) as SpecKey),
    places: new Interner(placeFrom),
    steps: new Interner((text) => JSON.parse(text) as StepJobFacts),
    notes: newSharedNotes(),
  };
}

/** What a Job, or a pod of it, counts for. */
export function placeOf(raw: JsonObject, { places }: Shared): Place {
  const { [jobKindLabel]: kind = '', [nameLabel]: name = '', [groupLabel]: group = '' } = labelsOf(raw);
  return places.get(`${group} ${kind} ${name}`);
}

function placeFrom(text: string): Place {
  const [group = '', ...holder] = text.split(' ');
  return { group: group === '' ? undefined : group, holder: holder.join(' ') };
}

/** undefined where the labels name no spec: then it is nobody's Job here. Throws only without a name or UID. */
export function projectJob(raw: JsonObject, shared: Shared): CachedJob | undefined {
  const key = keyOf(raw);
  if (!key) return undefined;
  const identity = identityOf(raw);
  if (!identity) throw new Error('Job without name or uid');
  const metadata = objectAt(raw, 'metadata');
  return {
    key: shared.keys.get(JSON.stringify(key)),
    place: placeOf(raw, shared),
    ...identity,
    resourceVersion: stringAt(metadata, 'resourceVersion') ?? '',
    createdAt: timeAt(metadata, 'creationTimestamp') ?? 0,
    deleting: stringAt(metadata, 'deletionTimestamp') !== undefined,
    ownerUid: interned(shared, controllerOf(raw).uid),
    ...noted(raw, shared),
    ...kept(raw),
    ...wanted(objectAt(raw, 'spec')),
    ...((labelsOf(raw)[kueueQueueLabel] ?? '') !== '' && { kueue: true as const }),
    ...reached(objectAt(raw, 'status'), shared),
    ...(key.kind === 'run' ? { step: shared.steps.get(JSON.stringify(stepJobFacts(raw))) } : {}),
    ...(key.kind === 'queue' ? madeFor(raw, shared) : {}),
  };
}

function madeFor(raw: JsonObject, shared: Shared): Pick<ObservedJob, 'message' | 'batch' | 'step'> {
  const annotations = annotationsOf(raw);
  const message = readMessageFacts(annotations, shared.notes);
  const batch = message ? undefined : readBatchFacts(annotations, shared.notes);
  if (!message && !batch) return {};
  return { ...(message ? { message } : { batch }), step: shared.steps.get(JSON.stringify(stepJobFacts(raw))) };
}

/** Complete or Failed with status True, wherever it stands: SuccessCriteriaMet and FailureTarget come before it in the list and in time. */
export function finishedOf(status: JsonObject): ObservedJob['finished'] {
  for (const condition of arrayAt(status, 'conditions')) {
    const type = stringAt(condition, 'type');
    if ((type !== 'Complete' && type !== 'Failed') || stringAt(condition, 'status') !== 'True') continue;
    return {
      condition: type,
      reason: stringAt(condition, 'reason') ?? '',
      message: stringAt(condition, 'message') ?? '',
      at: timeAt(condition, 'lastTransitionTime') ?? timeAt(status, 'completionTime') ?? timeAt(condition, 'lastProbeTime') ?? 0,
    };
  }
  return undefined;
}

/** The drain sequence in label job-chief/run. */
export function sequenceOf(raw: unknown): number | undefined {
  const text = labelsOf(raw)[runLabel];
  const sequence = text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  return sequence;
}

function noted(raw: JsonObject, shared: Shared): Pick<ObservedJob, 'specHash' | 'specSource' | 'onSpecDelete' | 'sequence' | 'recorded' | 'upkeep'> {
  const annotations = annotationsOf(raw);
  const upkeep = annotations[upkeepAnnotation];
  const outcome = annotations[outcomeAnnotation];
  return {
    specHash: interned(shared, annotations[specHashAnnotation]),
    specSource: annotations[specSourceAnnotation] === 'file' ? 'file' : 'configMap',
    onSpecDelete: annotations[onSpecDeleteAnnotation] === 'finish' ? 'finish' : 'delete',
    sequence: sequenceOf(raw),
    recorded: outcome === undefined ? undefined : (shared.outcomes.get(outcome) ?? undefined),
    upkeep: upkeep === undefined ? undefined : (shared.upkeeps.get(upkeep) ?? undefined),
  };
}

function kept(raw: JsonObject): Pick<CachedJob, 'keepUntil' | 'unreadKeep'> {
  const { until, unread } = readKeep(annotationsOf(raw)[keepUntilAnnotation]);
  return { ...(until !== undefined && { keepUntil: until }), ...(unread !== undefined && { unreadKeep: unread }) };
}

function wanted(spec: JsonObject): Pick<ObservedJob, 'suspended' | 'parallelism' | 'activeDeadlineSeconds'> {
  return { suspended: spec['suspend'] === true, parallelism: countAt(spec, 'parallelism', 1), activeDeadlineSeconds: numberAt(spec, 'activeDeadlineSeconds') };
}

function reached(status: JsonObject, shared: Shared): Pick<ObservedJob, 'startedAt' | 'finished' | 'succeededPods' | 'failedPods' | 'readyPods'> {
  const finished = finishedOf(status);
  const readyPods = countAt(status, 'ready', 0);
  return {
    startedAt: timeAt(status, 'startTime'),
    finished: finished && { ...finished, reason: shortOnce(shared, finished.reason), message: shortOnce(shared, finished.message) },
    succeededPods: countAt(status, 'succeeded', 0),
    failedPods: countAt(status, 'failed', 0),
    ...(readyPods > 0 && { readyPods }),
  };
}

function interned(shared: Shared, text: string | undefined): string | undefined {
  return text === undefined ? undefined : shared.texts.get(text);
}

/** What many Jobs say in the same words is short; what is long, only one says. */
function shortOnce(shared: Shared, text: string): string {
  return text.length <= 256 ? shared.texts.get(text) : text;
}
