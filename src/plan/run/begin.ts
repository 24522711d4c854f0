/** Starts a step whose time has come: its items, its first attempts, or what an earlier run has of it. */
import { digest } from '../../lib/digest.ts';
import type { Json } from '../../lib/json.ts';
import type { StepSpec } from '../../spec/workflow.ts';
import { advanceStep, commit, lacksPlace } from './advance.ts';
import type { RunDraft } from './draft.ts';
import { isGroup } from './facts.ts';
import { foldLine } from './fold.ts';
import { itemsOf, type Each } from './items.ts';
import { withLine, type Line, type Site } from './line.ts';
import { Resolver } from './lookup.ts';
import type { NotMade } from './made.ts';
import { makeAttempt, nameOf, resolverFor } from './make.ts';
import { mostItemsOfRun, roomForValues } from './room.ts';
import type { StepState } from './state.ts';
import type { Ending } from './step-reason.ts';
import { timeLimit } from './time-limit.ts';

/** Nothing happens where there is no room, or where an output that it names is still to come: then it is asked again. */
export function beginStep(draft: RunDraft, step: StepSpec): void {
  if (draft.held) return;
  if (step.work.kind === 'approve') beginApproval(draft, step);
  // What is there already, or is carried over, needs no room.
  else if (draft.meets || draft.strays > 0 || draft.rerun) beginWork(draft, step);
  else if (!draft.hasRoom(() => '')) draft.hold({ kind: 'room', step: step.name, message: '' });
  else if (draft.hasPlace || step.work.kind === 'subRun') beginWork(draft, step);
  else draft.awaitPlace(step);
}

function beginApproval(draft: RunDraft, step: StepSpec): void {
  const resolver = new Resolver(draft);
  const limit = timeLimit(draft, step, resolver);
  if (limit.kind === 'wait' || limit.kind === 'problem') {
    cannotBegin(draft, step, limit);
    return;
  }
  const inputs = inputsOf(draft, step, undefined, resolver);
  const carried = draft.rerun?.carried(step, inputs);
  draft.set('do', step, carried ?? withLine({ inputs }, approvalLine(draft, step), draft.now));
}

const noItems: Ending & { readonly message: string } = { outcome: 'skipped', reason: 'NoItems', message: 'its forEach has no items' };

function beginWork(draft: RunDraft, step: StepSpec): void {
  const expanded = expand(draft, step);
  if (expanded.kind === 'none') beginJobs(draft, step, undefined);
  else if (expanded.kind !== 'each') cannotBegin(draft, step, expanded);
  else if (expanded.each.count > 0) beginJobs(draft, step, expanded.each);
  else draft.set('do', step, { ...noItems, at: draft.now });
}

/** An approval may have been given before its step was reached. */
function approvalLine(draft: RunDraft, step: StepSpec): Line {
  return foldLine(draft, { step, role: 'do', index: undefined, each: undefined }, { attempts: [{ job: step.name, at: draft.now }] });
}

type Expanded = { readonly kind: 'none' } | { readonly kind: 'each'; readonly each: Each } | NotMade;

function expand(draft: RunDraft, step: StepSpec): Expanded {
  if (!step.forEach) return { kind: 'none' };
  const resolver = new Resolver(draft);
  let failed: NotMade | undefined;
  const items = itemsOf(step.forEach, (value) => {
    const resolved = resolver.resolve(value, 'any');
    if (resolved.kind === 'value') return resolved;
    failed ??= resolved;
    return { kind: 'problem', message: resolved.kind === 'wait' ? 'not known yet' : resolved.message };
  });
  if (items.kind === 'each') return items;
  return failed ?? { kind: 'problem', reason: 'ItemsInvalid', message: items.message };
}

function beginJobs(draft: RunDraft, step: StepSpec, each: Each | undefined): void {
  const count = itemCount(step, each);
  const site: Site = { step, role: 'do', index: count === undefined ? undefined : 0, each };
  const resolver = resolverFor(draft, site);
  const made = makeAttempt(draft, site, { attempt: 1, memory: undefined }, resolver);
  // What is wrong with one item is that item's problem.
  if (made.kind === 'wait' || (made.kind === 'problem' && count === undefined)) {
    cannotBegin(draft, step, made);
    return;
  }
  const inputs = inputsOf(draft, step, each, resolver);
  const state: StepState = { ...(each && { each }), inputs };
  const carried = draft.rerun?.carried(step, inputs);
  if (carried) draft.set('do', step, carried);
  else if (!mayStart(draft, site) || !fits(draft, step, { each, count })) return;
  else if (count !== undefined) beginItems(draft, step, { ...state, items: Array.from({ length: count }, () => ({ attempts: [] })) });
  else if (made.kind === 'made') draft.set('do', step, withLine(state, commit(draft, site, { attempts: [] }, made), draft.now));
}

/** Whether there is room for its first attempt, or it is there already. */
function mayStart(draft: RunDraft, site: Site): boolean {
  const name = (): string => nameOf(draft, site, 1);
  if (draft.hasRoom(name)) return !lacksPlace(draft, site, name);
  draft.hold({ kind: 'room', step: site.step.name, message: '' });
  return false;
}

/** The record keeps the items as they were at the start, and what becomes of each; those that do not fit are an error of the step. */
function fits(draft: RunDraft, step: StepSpec, { each, count }: { readonly each: Each | undefined; readonly count: number | undefined }): boolean {
  const message = tooMany(draft, each, count);
  if (message !== undefined) cannotBegin(draft, step, { kind: 'problem', reason: 'ItemsInvalid', message });
  return message === undefined;
}

function tooMany({ room }: RunDraft, each: Each | undefined, count: number | undefined): string | undefined {
  if (count !== undefined && !room.takeItems(count)) return `its ${count} items do not fit: all steps of a run may have ${mostItemsOfRun} with a Job or run of their own`;
  if (!each?.values || room.take([...each.values])) return undefined;
  return `its items do not fit: those of all steps of a run, with their outputs, may have ${roomForValues} bytes as JSON`;
}

function beginItems(draft: RunDraft, step: StepSpec, state: StepState): void {
  draft.set('do', step, state);
  advanceStep(draft, step, 'do');
}

/** How many Jobs stand beside each other; undefined: one, which may be an Indexed one for all items. */
function itemCount(step: StepSpec, each: Each | undefined): number | undefined {
  if (each) return step.forEach?.shape === 'jobs' || step.work.kind === 'subRun' ? each.count : undefined;
  return step.work.kind === 'manifests' && isGroup(step) ? step.work.manifests.length : undefined;
}

function cannotBegin(draft: RunDraft, step: StepSpec, why: NotMade): void {
  if (why.kind === 'wait') draft.awaitOutput();
  else draft.set('do', step, { outcome: 'errored', reason: why.reason, message: why.message, at: draft.now });
}

/**
 * What the step works on: what was written, and every value that went into it. Of files only their names are known here;
 * their content is part of the spec's hash.
 */
function inputsOf({ observed }: RunDraft, { name, work, outputs, files }: StepSpec, each: Each | undefined, resolver: Resolver): string {
  const values: Record<string, Json> = Object.fromEntries(resolver.read);
  const usesFiles = Object.keys(files).length > 0;
  return digest({ name, work, outputs, files, values, each, ...(usesFiles && { specHash: observed.spec.hash }) }, 16);
}
