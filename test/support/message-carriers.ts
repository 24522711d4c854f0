/** What objects of the cluster say of the messages that they carry: a Job of one, a Job of several, the record of a run. */
import { parseIndexes } from '../../src/lib/index-ranges.ts';
import { isObject, type Json, numberAt, objectAt, parseJson, stringAt } from '../../src/lib/json.ts';
import { asJob, hasCondition } from '../../src/simulation/job-shape.ts';
import { configMaps, jobs, type KubeObject, type Resource } from '../../src/simulation/objects.ts';
import * as keys from '../../src/spec/keys.ts';

export interface Noted {
  /** Tells it from all others. */
  readonly key: string;
  readonly kind: 'Job' | 'index' | 'run';
  readonly name: string;
  readonly uid: string;
  /** Of the message. */
  readonly id: string;
  readonly serial: number;
  readonly attempt: number;
  /** Within its delivery, and how many of these there may be. */
  readonly tries: number;
  readonly mostTries: number;
  readonly onJobCreated: boolean;
  /** It asks for nothing of the message. */
  readonly bare: boolean;
  readonly settled: string | undefined;
  readonly settledAt: number | undefined;
  readonly finished: 'Complete' | 'Failed' | undefined;
  /** A person ended it: no other try follows. */
  readonly cancelled: boolean;
  /** job-chief ended it for another text of the spec. */
  readonly replaced: boolean;
}

/** Nothing where it was made for no message. A batch that was not let go carries nothing yet. */
export function notedOn(resource: Resource, object: KubeObject): readonly Noted[] {
  if (resource === jobs) return isBatch(object) ? (isLetGo(object) ? onBatch(object) : []) : onOne(object, 'Job', finishedJob(object));
  return resource === configMaps && object.metadata.labels?.[keys.recordLabel] === 'run' ? onOne(object, 'run', finishedRun(object)) : [];
}

export function isBatch({ metadata: { annotations = {} } }: KubeObject): boolean {
  return annotations[keys.batchAnnotation] !== undefined;
}

/** Its pods may run. */
export function isLetGo({ metadata: { annotations = {} } }: KubeObject): boolean {
  return annotations[keys.committedAnnotation] === 'true';
}

/** The key of the completion index of such a Job. */
export function keyOf(uid: string, index: number | undefined): string {
  return index === undefined ? uid : `${uid}/${index}`;
}

function onOne(object: KubeObject, kind: Noted['kind'], finished: Noted['finished']): readonly Noted[] {
  const { annotations = {}, uid } = object.metadata;
  const note = parseJson(annotations[keys.messageAnnotation]);
  return isObject(note) ? [{ ...about(object), kind, key: keyOf(uid, undefined), ...notedIn(note), ...settledIn(annotations[keys.settledAnnotation]), finished }] : [];
}

function onBatch(object: KubeObject): readonly Noted[] {
  const { annotations = {}, uid } = object.metadata;
  const notes = parseJson(annotations[keys.batchAnnotation]);
  const [first] = Array.isArray(notes) ? notes : [];
  const { status } = asJob(object);
  const [completed, failed] = [parseIndexes(status.completedIndexes), parseIndexes(status.failedIndexes)];
  const whole = finishedJob(object);
  return (Array.isArray(notes) ? notes : []).map((note, index) => ({
    ...about(object),
    kind: 'index',
    key: keyOf(uid, index),
    ...notedIn({ ...(isObject(first) ? { settle: first['settle'], retry: first['retry'] } : {}), ...(isObject(note) ? note : {}) }),
    ...settledIn(annotations[keys.settledIndexAnnotation(index)]),
    finished: completed.has(index) ? 'Complete' : failed.has(index) ? 'Failed' : whole,
  }));
}

function about({ metadata: { name, uid, labels = {}, annotations = {} } }: KubeObject): Pick<Noted, 'name' | 'uid' | 'replaced' | 'cancelled'> {
  return { name, uid, replaced: stringAt(parseJson(annotations[keys.outcomeAnnotation]), 'reason') === 'SpecChanged', cancelled: labels[keys.stateLabel] === 'Cancelled' };
}

function notedIn(note: Json): Pick<Noted, 'id' | 'serial' | 'attempt' | 'tries' | 'mostTries' | 'onJobCreated' | 'bare'> {
  return {
    id: stringAt(note, 'id') ?? '',
    serial: numberAt(note, 'serial') ?? 0,
    attempt: numberAt(note, 'attempt') ?? 0,
    tries: numberAt(note, 'tries') ?? 0,
    mostTries: numberAt(objectAt(note, 'retry'), 'attempts') ?? 1,
    onJobCreated: stringAt(note, 'settle') === 'onJobCreated',
    bare: isObject(note) && note['bare'] === true,
  };
}

function settledIn(text: string | undefined): Pick<Noted, 'settled' | 'settledAt'> {
  const said = parseJson(text);
  return { settled: stringAt(said, 'as'), settledAt: numberAt(said, 'at') };
}

function finishedJob(object: KubeObject): Noted['finished'] {
  const { status } = asJob(object);
  return hasCondition(status, 'Complete') ? 'Complete' : hasCondition(status, 'Failed') ? 'Failed' : undefined;
}

/** By its label, which is written with the result. */
function finishedRun({ metadata: { labels = {} } }: KubeObject): Noted['finished'] {
  switch (labels[keys.stateLabel]) {
    case 'Succeeded':
      return 'Complete';
    case 'Failed':
    case 'Cancelled':
      return 'Failed';
    default:
      return undefined;
  }
}
