/**
 * Rules of a Queue whose messages start runs of a template or a workflow. Such a Queue has no Job of its own: what says how
 * a Job is made, or how long it takes, belongs to the spec that is run.
 */
import { isObject, objectAt, type JsonObject } from '../lib/json.ts';
import { valueAt, type FieldPath } from './field-path.ts';
import type { Finding } from './report.ts';
import { runTargets } from './run-schema.ts';
import type { RunTarget } from './run.ts';

/** How a Queue says what a message becomes; it has exactly one of them. */
export const queueWays = ['job', 'jobTemplate', ...runTargets] as const;

/** Which of the two fields says that messages start runs; undefined: they start Jobs. */
export function runWay(spec: JsonObject): RunTarget['kind'] | undefined {
  return runTargets.find((field) => Object.hasOwn(spec, field));
}

/** Fields that do not go with runs, and those that only go with them. */
export function queueRunFindings(spec: JsonObject): Finding[] {
  const way = runWay(spec);
  if (way === undefined) return parametersWithoutRuns(spec);
  if (!isObject(spec['perMessage'])) return Object.hasOwn(spec, 'drain') || Object.hasOwn(spec, 'perBatch') ? [onlyPerMessage(spec, way)] : [];
  return misplaced(way).filter(({ path }) => valueAt(spec, path) !== undefined).map(({ path, why, hint }) => conflict(path, `"${pathEnd(path)}" does not go with "${way}": ${why}`, hint));
}

interface Misplaced {
  readonly path: FieldPath;
  readonly why: string;
  readonly hint: string;
}

const noJob = 'the Queue has no Job of its own';

function misplaced(way: RunTarget['kind']): Misplaced[] {
  const inTarget = (field: string, where = `in the ${way}`): Misplaced => ({ path: [field], why: noJob, hint: `set ${field} ${where}` });
  const inSteps = way === 'template' ? 'in the template' : 'in the steps of the workflow';
  const parameters = 'hand what the run needs of the message on as perMessage.parameters';
  return [
    { path: ['perMessage', 'payload'], why: noJob, hint: parameters },
    { path: ['perMessage', 'env'], why: noJob, hint: parameters },
    { path: ['injectConnection'], why: noJob, hint: `name the Secret of the connection ${inSteps}, as secretKeyRef` },
    inTarget('timeout', inSteps),
    inTarget('startTimeout', inSteps),
    inTarget('jobMetadata'),
    inTarget('podMetadata'),
    { path: ['onSpecChange'], why: 'a run goes on with the text that it began with', hint: 'remove it' },
    { path: ['onSpecDelete'], why: 'a run that was started goes on when the Queue is deleted', hint: 'remove it' },
    inTarget('retention'),
    inTarget('beforeDelete'),
    { path: ['concurrency', 'group'], why: noJob, hint: `set concurrency.group in the ${way}` },
  ];
}

function onlyPerMessage(spec: JsonObject, way: string): Finding {
  const mode = Object.hasOwn(spec, 'drain') ? 'drain' : 'perBatch';
  return conflict([way], `"${way}" does not go with "${mode}": a run is started for one message`, 'use perMessage, or job in place of it');
}

function parametersWithoutRuns(spec: JsonObject): Finding[] {
  if (!Object.hasOwn(objectAt(spec, 'perMessage'), 'parameters')) return [];
  return [conflict(['perMessage', 'parameters'], '"parameters" is for messages that start runs, and neither "template" nor "workflow" is set', 'a Job gets values of the message through perMessage.env')];
}

function conflict(path: FieldPath, message: string, hint: string): Finding {
  return { code: 'ConflictingFields', message, path, part: 'key', hint };
}

function pathEnd(path: FieldPath): string {
  return path[0] === 'concurrency' ? path.join('.') : String(path.at(-1));
}
