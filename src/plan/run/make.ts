/** What one attempt creates: the Job with all references replaced, or the record of a sub-run. */
import type { Json, JsonObject } from '../../lib/json.ts';
import type { RunDraft } from './draft.ts';
import type { Each } from './items.ts';
import { isSubRun, siteText, templateOf, type Site } from './line.ts';
import { Resolver, asObject, type ItemValue, type Resolved } from './lookup.ts';
import type { Made } from './made.ts';
import { makeSubRun } from './make-sub-run.ts';
import { stepJobName, subRunName } from './names.ts';
import { stepJob } from './step-job.ts';
import { timeLimit, type TimeLimit } from './time-limit.ts';

/** Which attempt of a line. */
export interface AttemptPlan {
  /** From 1. */
  readonly attempt: number;
  readonly memory: string | undefined;
}

/** Values for this place: references to the item are those of its index. */
export function resolverFor(draft: RunDraft, { index, each }: Site): Resolver {
  return new Resolver(draft, each && index !== undefined ? itemAt(each, index) : undefined);
}

/** Items that are just numbers are their own index. */
function itemAt({ values }: Each, index: number): ItemValue {
  const value: Json | undefined = values ? values[index] : index;
  return { value: value ?? null };
}

/** Its name alone: what is there already under that name belongs to this attempt. */
export function nameOf(draft: RunDraft, site: Site, attempt: number): string {
  const { record, spec } = draft.observed;
  const { step, role, index, each } = site;
  if (isSubRun(site) && step.work.kind === 'subRun') return subRunName(step.work.target.name, { uid: record.uid, step: step.name, index, attempt });
  return stepJobName(spec.name, { uid: record.uid, step: step.name, role, index, attempt }, index === undefined && each !== undefined);
}

/** `resolver`: where the caller asks afterwards what was read. */
export function makeAttempt(draft: RunDraft, site: Site, plan: AttemptPlan, resolver = resolverFor(draft, site)): Made {
  return isSubRun(site) ? makeSubRun(draft, site, plan.attempt, resolver) : makeJob(draft, site, plan, resolver);
}

function makeJob(draft: RunDraft, site: Site, { attempt, memory }: AttemptPlan, resolver: Resolver): Made {
  const { record, spec } = draft.observed;
  const { step, role, index, each } = site;
  const template = resolvedTemplate(site, resolver);
  if (template.kind !== 'value') return template;
  const limit = limitOf(draft, site, resolver);
  if (limit.kind === 'wait' || limit.kind === 'problem') return limit;
  const timeout = limit.kind === 'limit' ? limit.milliseconds : undefined;
  const { jobName, manifest, ours, map } = stepJob({ record, spec, step, role, template: template.value, index, attempt, each, memory, timeout, environment: draft.environment });
  const because = attempt === 1 ? `${siteText(site)} may start` : `${siteText(site)} goes into attempt ${attempt}`;
  return { kind: 'made', name: jobName, action: { kind: 'createStepJob', reason: attempt === 1 ? 'StepDue' : 'StepRetry', because, step: step.name, jobName, manifest, ...(ours && { ours }), ...(map && { map }) }, ...(memory !== undefined && { memory }) };
}

/** What was written, with its references replaced; whole manifests are used as they stand. */
export function resolvedTemplate(site: Site, resolver: Resolver): Resolved<JsonObject> {
  const { template, verbatim } = templateOf(site);
  return verbatim ? { kind: 'value', value: template } : asObject(resolver.resolve(template, 'job'));
}

function limitOf(draft: RunDraft, { step, role }: Site, resolver: Resolver): TimeLimit {
  if (role === 'do') return timeLimit(draft, step, resolver);
  return step.undo?.timeout === undefined ? { kind: 'none' } : { kind: 'limit', milliseconds: step.undo.timeout };
}
