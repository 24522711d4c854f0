/** The manifest of one attempt of a step: what the user wrote, and what job-chief adds to it. */
import { numberAt, objectAt, stringAt, type Json, type JsonObject } from '../../lib/json.ts';
import { labelValue } from '../../lib/label-value.ts';
import * as keys from '../../spec/keys.ts';
import { referencesUnder } from '../../spec/references.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import type { OwnParts } from '../action.ts';
import type { PlanEnvironment } from '../environment.ts';
import { deadlineSeconds, eachContainer, groupLabels, jobLabels, literal, mergedMetadata, ownedBy, prependEnv, withVolumes, type Mounts } from '../manifest.ts';
import type { UpkeepNote } from '../notes.ts';
import { indexedSpec } from './indexed-job.ts';
import { itemMap, itemMounts } from './item-map.ts';
import type { Each } from './items.ts';
import { withMemory } from './memory.ts';
import { stepJobName } from './names.ts';
import type { ObservedRecord } from './record.ts';

export interface StepJobInput {
  readonly record: Pick<ObservedRecord, 'name' | 'uid' | 'target' | 'ownerless'>;
  readonly spec: WorkflowSpec;
  readonly step: StepSpec;
  /** `undo` takes the limits of step.undo. */
  readonly role: 'do' | 'undo';
  /** JobTemplateSpec with all references replaced, or what a file says. Of the latter only metadata and spec are taken. */
  readonly template: JsonObject;
  /** Which item (or manifest of jobFiles) this Job is for; undefined: the step is one Job. */
  readonly index: number | undefined;
  /** From 1. */
  readonly attempt: number;
  /** The items of a forEach, all of them. Without `index` the Job is an Indexed one for all. */
  readonly each: Each | undefined;
  /** Quantity that onOOM gave this attempt. */
  readonly memory: string | undefined;
  /** Milliseconds, references replaced. */
  readonly timeout: number | undefined;
  readonly environment: PlanEnvironment;
}

export interface StepJob {
  readonly jobName: string;
  readonly manifest: JsonObject;
  /** Present where there are any. */
  readonly ours?: OwnParts;
  /** ConfigMap that it mounts: to be created before it. */
  readonly map?: JsonObject;
}

/** The whole Job. */
export function stepJob(input: StepJobInput): StepJob {
  const { record, step, role, index, attempt, environment } = input;
  const jobName = stepJobName(input.spec.name, { uid: record.uid, step: step.name, role, index, attempt }, isIndexed(input));
  const labels = { ...jobLabels(record.target.kind, record.target.name, environment.instance), ...groupLabels(input.spec), ...stepLabels(input) };
  const items = itemsForFiles(input);
  const mounts = [...fileMounts(input), ...(items.size > 0 ? [itemMounts(jobName, index)] : [])];
  return {
    jobName,
    manifest: manifestOf(input, { jobName, labels, mounts }),
    ...(mounts.length > 0 ? { ours: mounts.flatMap(({ volumes }) => volumes) } : {}),
    ...(items.size > 0 ? { map: itemMap({ jobName, record, namespace: environment.namespace, labels, items }) } : {}),
  };
}

function isIndexed({ each, index }: StepJobInput): boolean {
  return each !== undefined && index === undefined;
}

interface Parts {
  readonly jobName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly Mounts[];
}

function manifestOf(input: StepJobInput, parts: Parts): JsonObject {
  const { record, spec, step, each, environment } = input;
  const template = withMemory(input.template, input.memory);
  const jobSpec = objectAt(template, 'spec');
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      namespace: environment.namespace,
      name: parts.jobName,
      ...mergedMetadata(objectAt(template, 'metadata'), spec.jobMetadata, { labels: parts.labels, annotations: annotationsOf(input) }),
      ...ownedBy(record),
    },
    spec: {
      ...(each && isIndexed(input) ? indexedSpec(jobSpec, step, each.count) : jobSpec),
      ...deadline(jobSpec, input),
      template: podTemplate(objectAt(jobSpec, 'template'), input, parts),
    },
  };
}

function stepLabels({ record, step, role, index, attempt }: StepJobInput): Record<string, string> {
  return {
    [keys.runLabel]: record.name,
    [keys.stepLabel]: labelValue(step.name),
    ...(index === undefined ? {} : { [keys.indexLabel]: String(index) }),
    [keys.attemptLabel]: String(attempt),
    ...(role === 'undo' ? { [keys.undoLabel]: 'true' } : {}),
  };
}

function annotationsOf(input: StepJobInput): Record<string, string> {
  const { timeout } = input;
  // What becomes of the Job afterwards is its record's matter.
  const upkeep: UpkeepNote = { startTimeout: startTimeoutOf(input), ...(timeout === undefined ? {} : { timeout }), succeeded: {}, failed: {} };
  return {
    [keys.nameAnnotation]: input.spec.name,
    [keys.stepAnnotation]: input.step.name,
    [keys.specHashAnnotation]: input.spec.hash,
    [keys.upkeepAnnotation]: JSON.stringify(upkeep),
  };
}

function startTimeoutOf({ role, step }: StepJobInput): number {
  return role === 'undo' && step.undo ? step.undo.startTimeout : step.startTimeout;
}

/** A manifest may have a deadline of its own: the nearer one holds. */
function deadline(jobSpec: JsonObject, input: StepJobInput): JsonObject {
  const seconds = deadlineSeconds({ startTimeout: startTimeoutOf(input), timeout: input.timeout });
  const own = numberAt(jobSpec, 'activeDeadlineSeconds');
  return seconds === undefined ? {} : { activeDeadlineSeconds: own === undefined ? seconds : Math.min(seconds, own) };
}

function podTemplate(template: JsonObject, input: StepJobInput, { labels, mounts }: Parts): JsonObject {
  const user = objectAt(template, 'metadata');
  const env = envOf(input);
  const pod = eachContainer(objectAt(template, 'spec'), (container, regular) =>
    prependEnv(container, regular ? [...env, literal(keys.outputEnv, outputPath(container))] : env, isIndexed(input) ? keys.reservedEnv : []),
  );
  return {
    ...template,
    metadata: { ...user, ...mergedMetadata(user, input.spec.podMetadata, { labels }) },
    spec: mounts.reduce(withVolumes, pod),
  };
}

function envOf({ record, spec, step, index, attempt, each }: StepJobInput): JsonObject[] {
  return [
    literal('JOB_CHIEF_KIND', record.target.kind),
    literal('JOB_CHIEF_NAME', spec.name),
    literal('JOB_CHIEF_RUN', record.name),
    literal('JOB_CHIEF_STEP', step.name),
    literal('JOB_CHIEF_ATTEMPT', String(attempt)),
    ...(each && index !== undefined ? [literal('JOB_CHIEF_ITEM_INDEX', String(index))] : []),
  ];
}

/** Init containers get none: nobody reads what they would write there. */
function outputPath(container: JsonObject): string {
  return stringAt(container, 'terminationMessagePath') ?? '/dev/termination-log';
}

/** The run's own copy of its files, so that an edited or renamed ConfigMap does not pull them away. Scripts among them may be run. */
function fileMounts({ record, step }: StepJobInput): Mounts[] {
  const files = Object.entries(step.files);
  if (files.length === 0) return [];
  const name = 'job-chief-files';
  return [
    {
      volumes: [{ name, configMap: { name: `${record.name}${keys.filesMapSuffix}`, defaultMode: 0o555 } }],
      volumeMounts: files.map(([mountPath, subPath]) => ({ name, mountPath, subPath, readOnly: true })),
    },
  ];
}

/** Items that this Job's pods find as files: all, or its own. None where the job says by `$(item)` where it wants its item. */
function itemsForFiles({ each, index, role, step }: StepJobInput): ReadonlyMap<number, Json> {
  if (!each?.values || role === 'undo') return new Map();
  if (index === undefined) return new Map(each.values.entries());
  const own = each.values[index];
  return own === undefined || namesItem(step) ? new Map() : new Map([[index, own]]);
}

/** Its job says by `$(item)` where it wants the item. */
export function namesItem({ work }: StepSpec): boolean {
  return work.kind === 'job' && referencesUnder(work.template, []).some(({ reference }) => reference.root === 'item');
}
