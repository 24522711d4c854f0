/** Goes on with steps that have started: first attempts of their items, retries that are due, creates that did not come through. */
import { growingPause } from '../../lib/growing-pause.ts';
import type { StepSpec } from '../../spec/workflow.ts';
import type { Role, RunDraft } from './draft.ts';
import { foldLine } from './fold.ts';
import { isApproval, isSubRun, lineOf, withItems, withLine, type Line, type Site } from './line.ts';
import type { Creation, NotMade } from './made.ts';
import { makeAttempt, nameOf } from './make.ts';
import type { StepRefusal } from './observed.ts';
import { nextAttempt } from './retries.ts';
import type { Attempt, StepState } from './state.ts';

/** Nothing where all that could be done has been done. */
export function advanceStep(draft: RunDraft, step: StepSpec, role: Role): void {
  const state = draft.state(role, step.name);
  if (!state || state.outcome !== undefined) return;
  if (state.items) {
    draft.set(role, step, withItems(step, state, advanceItems(draft, step, state, state.items), draft.now));
    return;
  }
  const line = lineOf(state);
  const next = advanceLine(draft, { step, role, index: undefined, each: state.each }, line);
  if (next !== line) draft.set(role, step, withLine(state, next, draft.now));
}

/** The first attempt of what has no state yet and needs none. Nothing where it cannot start now. */
export function beginLine(draft: RunDraft, site: Site): void {
  const nothing: Line = { attempts: [] };
  const line = draft.held ? nothing : startLine(draft, site, nothing);
  if (line !== nothing) draft.set(site.role, site.step, withLine({}, line, draft.now));
}

/** In their order, as many as the step and the run allow. */
function advanceItems(draft: RunDraft, step: StepSpec, { each }: StepState, items: readonly Line[]): readonly Line[] {
  const most = mostAtOnce(step);
  let live = items.reduce((count, item) => count + (isLive(draft, item) ? 1 : 0), 0);
  let full = false;
  return items.map((item, index) => {
    if (item.outcome !== undefined || (full && item.attempts.length === 0)) return item;
    const waits = !isLive(draft, item);
    if (waits && live >= most) {
      full = true;
      return item;
    }
    const next = advanceLine(draft, { step, role: 'do', index, each }, item);
    if (waits && isLive(draft, next)) live += 1;
    if (!full && waits && next === item && !draft.meets) full = isFull(draft, step, Math.min(most - live, items.length - index) - 1);
    return next;
  });
}

/** Nothing more of the step can start in this round. `more`: items that could besides the one that did not, by the step's own word. */
function isFull(draft: RunDraft, step: StepSpec, more: number): boolean {
  if (!draft.hasRoom(noName)) return true;
  if (draft.hasPlace || step.work.kind === 'subRun') return false;
  if (more > 0) draft.awaitPlace(step, more);
  return true;
}

function mostAtOnce({ forEach, work }: StepSpec): number {
  const own = work.kind === 'manifests' ? work.maxParallel : forEach?.maxParallel;
  return own ?? Infinity;
}

const noName = (): string => '';

/** An attempt is open, or the Job of the last one still runs. */
function isLive(draft: RunDraft, { attempts }: Line): boolean {
  const last = attempts.at(-1);
  if (!last) return false;
  return last.outcome === undefined || stillRuns(draft, last);
}

/** What the attempt created has not ended, whatever is known of its outcome. */
function stillRuns(draft: RunDraft, { job }: Attempt): boolean {
  return draft.runs(job) || draft.orphanOf(job) !== undefined;
}

/** The same object where nothing is due. */
function advanceLine(draft: RunDraft, site: Site, line: Line): Line {
  const last = line.attempts.at(-1);
  if (line.outcome !== undefined) return line;
  if (last && last.outcome === undefined) return isApproval(site) ? line : createAgain(draft, site, line, last);
  if (draft.held) return line;
  return last ? retryLine(draft, site, line, last) : startLine(draft, site, line);
}

function retryLine(draft: RunDraft, site: Site, line: Line, last: Attempt): Line {
  const next = nextAttempt(draft, site, line);
  if (next.kind === 'over') return line;
  const step = site.step.name;
  if (draft.now < next.at) {
    draft.wake(next.at);
    draft.hold({ kind: 'retry', step, until: next.at, message: [last.reason, last.message].filter((part) => part !== undefined && part !== '').join(': ') });
    return line;
  }
  if (!stillRuns(draft, last)) return startLine(draft, site, line, next.memory);
  draft.hold({ kind: 'pods', step, message: `the next attempt waits until "${last.job}" has ended altogether` });
  return line;
}

/** The next attempt of a line, if there is room for it. */
function startLine(draft: RunDraft, site: Site, line: Line, memory?: string): Line {
  const attempt = line.attempts.length + 1;
  if (!draft.hasRoom(() => nameOf(draft, site, attempt))) {
    draft.hold({ kind: 'room', step: site.step.name, message: '' });
    return line;
  }
  if (lacksPlace(draft, site, () => nameOf(draft, site, attempt))) return line;
  const made = makeAttempt(draft, site, { attempt, memory });
  return made.kind === 'made' ? commit(draft, site, line, made) : stuck(draft, line, made);
}

/** The limits of the instance keep it from being created. Sub-runs are records: only their Jobs count; what is there already has its place. */
export function lacksPlace(draft: RunDraft, site: Site, name: () => string): boolean {
  if (draft.hasPlace || isSubRun(site) || draft.isThere(name())) return false;
  draft.awaitPlace(site.step);
  return true;
}

/** Writes the attempt down and asks for its Job. One that is there already, since a process died before it wrote that down, is looked at at once. */
export function commit(draft: RunDraft, site: Site, line: Line, { name, action, memory }: Creation): Line {
  draft.begin(name, action);
  const next: Line = { ...line, attempts: [...line.attempts, { job: name, at: draft.createdAt(name) ?? draft.now, ...(memory !== undefined && { memory }) }] };
  return draft.starts(name) ? next : advanceLine(draft, site, foldLine(draft, site, next));
}

function stuck(draft: RunDraft, line: Line, made: NotMade): Line {
  if (made.kind === 'problem') return { ...line, outcome: 'errored', reason: made.reason, message: made.message };
  draft.awaitOutput();
  return line;
}

/**
 * The attempt was decided on, and nothing shows its Job or record: the process may have died before the create, or the API
 * server refused it for a reason that passes. The name is the same, so creating it twice is harmless.
 */
function createAgain(draft: RunDraft, site: Site, line: Line, last: Attempt): Line {
  if (draft.held || draft.existed(last) || isUnderWay(draft, site, last) || draft.awaitsOrphan(site.step, last.job) || isPaused(draft, site, last)) return line;
  if (lacksPlace(draft, site, () => last.job)) return line;
  const made = makeAttempt(draft, site, { attempt: line.attempts.length, memory: last.memory });
  if (made.kind !== 'made') return stuck(draft, line, made);
  draft.start(made.name, made.action);
  return line;
}

/** A record that may or may not have been created is created again, under its one name; a Job is looked up first. */
function isUnderWay(draft: RunDraft, site: Site, { job }: Attempt): boolean {
  if (draft.starts(job) || draft.isThere(job)) return true;
  const reservation = draft.observed.reservations.get(job);
  return isSubRun(site) ? reservation === 'created' : reservation !== undefined;
}

function isPaused(draft: RunDraft, { step }: Site, { job }: Attempt): boolean {
  const refusal = draft.observed.refusals.get(job);
  if (!refusal) return false;
  const until = refusal.at + pauseAfter(refusal);
  draft.hold({ kind: refusal.kind === 'forbidden' ? 'forbidden' : 'quota', step: step.name, message: refusal.message });
  if (draft.now >= until) return false;
  draft.wake(until);
  return true;
}

/** Milliseconds. Capacity and rights come back without a word, so the pause grows only to half a minute. */
function pauseAfter({ count }: StepRefusal): number {
  return growingPause(count, 1000, 30_000);
}
