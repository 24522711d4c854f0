/**
 * A Job of Kubernetes as `jobTemplate`, and what stands in its spec but is job-chief's to do: `timeout`, `retry`,
 * `retention`. What the Job keeps is kept as it stands.
 */
import { formatDuration } from '../../lib/duration.ts';
import { isObject, type Json } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import { jobField, type Field } from '../../spec/destination.ts';
import type { FieldPath } from '../../spec/field-path.ts';
import { refusedJobFields, refusedPodFields, refusedStepFields } from '../../spec/job-refusals.ts';
import { reservedMetadataOwner } from '../../spec/job-rules.ts';
import { referencesIn } from '../../spec/references.ts';
import type { Draft } from './draft.ts';
import type { Item } from './item.ts';

/** Where a Job goes. */
export interface JobPlace {
  readonly draft: Draft;
  /** The mapping that has `jobTemplate`: the spec itself, or a step. */
  readonly at: FieldPath;
  /** A Queue decides how many pods its Jobs have, and has no `retry`. */
  readonly inQueue: boolean;
  /** Texts hold references already: those of the source are escaped. */
  readonly escaped?: boolean;
}

/** What Kubernetes takes where a Job does not say it. */
const defaultBackoffLimit = 6;
/** As job-chief's `retry` has it. */
const mostAttempts = 100;

/** Writes `jobTemplate`, `timeout`, `retry` and `retention` from the metadata and the spec of a Job. */
export function writeJob(place: JobPlace, metadata: Item, job: Item): void {
  const { draft, at, inQueue } = place;
  const podTemplate = job.at('template');
  const pod = podTemplate.at('spec');
  if (pod.at('containers').members().length === 0) {
    draft.complain(pod.exists ? pod : job, 'MissingField', 'the Job has no containers', { hint: 'a Job has spec.template.spec.containers' });
    return;
  }
  const template: FieldPath = [...at, 'jobTemplate'];
  writeMetadata(place, metadata, [...template, 'metadata']);
  for (const [name, item] of job.fields()) {
    if (Object.hasOwn(inQueue ? refusedJobFields : refusedStepFields, name)) writeRefused(place, name, item);
    else if (name !== 'template' && name !== 'backoffLimit') draft.set([...template, 'spec', name], valueOf(place, item, ['spec', name]), item);
  }
  writeMetadata(place, podTemplate.at('metadata'), [...template, 'spec', 'template', 'metadata']);
  for (const [name, item] of pod.fields()) {
    if (Object.hasOwn(refusedPodFields, name)) draft.remark(template, `${name}: ${shown(item.value)} of the pod was left out: ${refusedPodFields[name] ?? ''}.`);
    else draft.set([...template, 'spec', 'template', 'spec', name], valueOf(place, item, ['spec', 'template', 'spec', name]), item);
  }
  writeAttempts(place, job);
}

/** Labels and annotations but those that somebody else keeps for itself. */
function writeMetadata({ draft }: JobPlace, metadata: Item, path: FieldPath): void {
  for (const field of ['labels', 'annotations']) {
    for (const [key, item] of metadata.at(field).fields()) {
      const owner = reservedMetadataOwner(key);
      if (owner === undefined) draft.set([...path, field, key], item.value, item);
      else draft.remark(path, `The ${field === 'labels' ? 'label' : 'annotation'} ${key} was left out: it belongs to ${owner}.`);
    }
  }
}

function writeRefused(place: JobPlace, name: string, item: Item): void {
  const { draft, at, inQueue } = place;
  switch (name) {
    case 'activeDeadlineSeconds':
      writeTimeout(place, item);
      return;
    case 'ttlSecondsAfterFinished': {
      const age = draft.count(item);
      if (age === undefined) return;
      for (const outcome of ['succeeded', 'failed']) draft.set(['retention', outcome, 'age'], seconds(age), item);
      return;
    }
    default: {
      const hint = (inQueue ? refusedJobFields : refusedStepFields)[name] ?? '';
      const means = item.value !== false && !(inQueue && item.value === 1);
      if (means) draft.remark([...at, 'jobTemplate'], `${name}: ${shown(item.value)} was left out: ${hint}.`);
    }
  }
}

function writeTimeout({ draft, at }: JobPlace, item: Item): void {
  if (item.text !== undefined && referencesIn(item.text).length > 0) {
    draft.complain(item, 'InvalidValue', 'a number of seconds that is a parameter cannot be converted: timeout is a duration such as 90s', { hint: 'write a number here, and timeout: $(params.NAME) into the spec afterwards' });
    return;
  }
  const given = draft.count(item);
  if (given !== undefined) draft.set([...at, 'timeout'], seconds(given), item);
}

/** How often pods were tried: as `retry`, each attempt a Job of its own, where the Job is one plain pod; else left to the Job. */
function writeAttempts(place: JobPlace, job: Item): void {
  const { draft, at, inQueue } = place;
  const given = job.at('backoffLimit');
  if (!given.exists && job.at('backoffLimitPerIndex').exists) return;
  const asRetry = !inQueue && isOnePod(job) && !isReference(given);
  const field: FieldPath = asRetry ? [...at, 'retry'] : [...at, 'jobTemplate', 'spec', 'backoffLimit'];
  if (asRetry) writeRetry(place, given, job.at('activeDeadlineSeconds').exists);
  else draft.set(field, isReference(given) ? given.text : (draft.count(given) ?? defaultBackoffLimit), given);
  if (!given.exists) draft.remark(field, `The Job had no backoffLimit, so Kubernetes tried ${defaultBackoffLimit} times more.`);
}

function writeRetry({ draft, at }: JobPlace, given: Item, timed: boolean): void {
  const limit = draft.count(given) ?? defaultBackoffLimit;
  if (limit === 0) return;
  draft.set([...at, 'retry'], { attempts: Math.min(limit + 1, mostAttempts) }, given);
  if (timed) draft.remark([...at, 'timeout'], 'Was for all attempts together (activeDeadlineSeconds); now each attempt has it.');
}

function isReference({ text }: Item): boolean {
  return text !== undefined && referencesIn(text).length > 0;
}

function isOnePod(job: Item): boolean {
  const one = ['parallelism', 'completions'].every((name) => [undefined, null, 1].some((value) => value === job.at(name).value));
  const ownRules = ['podFailurePolicy', 'successPolicy', 'backoffLimitPerIndex'].some((name) => job.at(name).exists);
  const restartPolicy = job.at('template', 'spec', 'restartPolicy').value ?? 'Never';
  return one && !ownRules && restartPolicy === 'Never';
}

/** The value without nulls, which mean nothing to Kubernetes, and with texts that reach the container as they were. */
export function valueOf({ draft, escaped = false }: Pick<JobPlace, 'draft' | 'escaped'>, item: Item, inTemplate: FieldPath): Json | undefined {
  const field = inTemplate.reduce<Field | undefined>((at, key) => at?.at(key), jobField);
  const complain = (text: string): void => {
    draft.complain(item, 'InvalidValue', `${shown(text)} is a reference to job-chief, and this field has no other way to write it`, { hint: 'write the text another way' });
  };
  return convertValue(item.value ?? undefined, field, escaped ? undefined : complain);
}

function convertValue(value: Json | undefined, field: Field | undefined, complain: ((text: string) => void) | undefined): Json | undefined {
  if (typeof value === 'string' && complain) {
    if (referencesIn(value).length === 0) return value;
    if (!field?.expanded) complain(value);
    return escapeReferences(value);
  }
  if (Array.isArray(value)) return value.map((entry, index) => convertValue(entry, field?.at(index), complain) ?? null);
  if (!isObject(value)) return value ?? undefined;
  const fields = Object.entries(value).map(([name, entry]) => [name, entry === null ? undefined : convertValue(entry, field?.at(name), complain)] as const);
  return Object.fromEntries(fields.filter(([, entry]) => entry !== undefined));
}

/** What looks like one of job-chief's references, so that it stays text. */
export function escapeReferences(text: string): string {
  return referencesIn(text).toReversed().reduce((escaped, { offset }) => `${escaped.slice(0, offset)}$${escaped.slice(offset)}`, text);
}

/** So many seconds as a duration. */
export function seconds(count: number): string {
  return formatDuration(count * 1_000);
}
