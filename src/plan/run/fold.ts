/** What has been seen since the last round, written into the state: how attempts came out, and whether a step ends with it. */
import type { StepSpec } from '../../spec/workflow.ts';
import { foldApproval } from './approvals.ts';
import type { Role, RunDraft } from './draft.ts';
import { fateOf, laterVerdict, type EndedFate } from './fate.ts';
import { followerOf, overtaken } from './follower.ts';
import type { StepRefusal } from './observed.ts';
import { isApproval, isSubRun, lineOf, withItems, withLine, type Folded, type Line, type Site } from './line.ts';
import { nextAttempt } from './retries.ts';
import { foldSubRun } from './sub-runs.ts';
import { roomForValues } from './room.ts';
import type { Attempt, StepState } from './state.ts';
import { endedAs } from './step-reason.ts';

/** Of all steps that have begun, and of undo jobs. */
export function foldRun(draft: RunDraft): void {
  const { steps, finally: after } = draft.observed.spec;
  for (const step of steps) foldStep(draft, step, 'do');
  for (const step of after) foldStep(draft, step, 'do');
  for (const step of steps) if (step.undo) foldStep(draft, step, 'undo');
}

function foldStep(draft: RunDraft, step: StepSpec, role: Role): void {
  const state = draft.state(role, step.name);
  if (!state) return;
  if (state.outcome !== undefined) draft.set(role, step, withVerdicts(draft, state));
  else if (state.items) draft.set(role, step, foldItems(draft, step, state, state.items));
  else if (state.attempts) draft.set(role, step, foldSingle(draft, { step, role, index: undefined, each: state.each }, state));
}

function foldSingle(draft: RunDraft, site: Site, state: StepState): StepState {
  const line = lineOf(state);
  const folded = foldLine(draft, site, line);
  return folded === line ? state : withLine(state, folded, draft.now);
}

function foldItems(draft: RunDraft, step: StepSpec, state: StepState, items: readonly Line[]): StepState {
  const folded = items.map((item, index) => (item.outcome === undefined ? foldLine(draft, { step, role: 'do', index, each: state.each }, item) : withLineVerdicts(draft, item)));
  return withItems(step, state, folded, draft.now);
}

/** The same object where nothing new is known. */
export function foldLine(draft: RunDraft, site: Site, line: Line): Line {
  const last = line.attempts.at(-1);
  if (!last) return line;
  const follower = followerOf(draft, site, line);
  if (follower) return foldLine(draft, site, { ...line, attempts: [...line.attempts.slice(0, -1), overtaken(last, draft.now), follower] });
  const folded: Folded = last.outcome === undefined ? withinRoom(draft, foldAttempt(draft, site, last)) : { attempt: last };
  const { attempt } = folded;
  const next = attempt === last ? line : { ...line, attempts: [...line.attempts.slice(0, -1), attempt] };
  if (attempt.outcome === undefined) return next;
  if (attempt.outcome !== 'succeeded' && nextAttempt(draft, site, next).kind === 'again') return next;
  // An Indexed Job that failed has the outputs of the items that did not.
  return { ...next, ...outcomeOf(site, attempt), ...(folded.outputs && { outputs: folded.outputs }) };
}

/** What a record cannot keep is lost for the steps behind, so the step that wrote it has failed. */
function withinRoom(draft: RunDraft, folded: Folded): Folded {
  if (!folded.outputs || draft.room.take({ ...folded.outputs })) return folded;
  const message = `its outputs do not fit: those of all steps of a run, with the items of forEach, may have ${roomForValues} bytes as JSON`;
  return { attempt: endedAs(folded.attempt, folded.attempt.endedAt ?? draft.now, { outcome: 'failed', reason: 'OutputsTooLarge', message }) };
}

/** An item's message is that of its last attempt, and stays there: a state may have thousands of them. */
function outcomeOf({ index }: Site, { outcome, reason, message }: Attempt): Pick<Line, 'outcome' | 'reason' | 'message'> {
  return { ...(outcome !== undefined && { outcome }), ...(reason !== undefined && { reason }), ...(message !== undefined && index === undefined && { message }) };
}

function foldAttempt(draft: RunDraft, site: Site, attempt: Attempt): Folded {
  if (isApproval(site)) return { attempt: foldApproval(draft, site, attempt) };
  if (isSubRun(site)) return foldSubRun(draft, site, attempt);
  const job = draft.job(attempt.job);
  if (!job) return { attempt: foldUnseen(draft, site, attempt) };
  const count = site.index === undefined ? site.each?.count : undefined;
  const fate = fateOf(job, { outputs: site.role === 'undo' ? {} : site.step.outputs, count, now: draft.now });
  if (fate.kind === 'ended') return { attempt: withFate(attempt, fate, site.index === undefined ? longestMessage : longestItemMessage), ...(fate.outputs && { outputs: fate.outputs }) };
  draft.wake(fate.until);
  return { attempt: withSight(attempt, fate.ranAt) };
}

/** Its Job is there; once it has started that does not change. */
function withSight(attempt: Attempt, ranAt: number | undefined): Attempt {
  if (attempt.seen === true && (ranAt === undefined || attempt.ranAt !== undefined)) return attempt;
  return { ...attempt, seen: true, ...(ranAt !== undefined && attempt.ranAt === undefined && { ranAt }) };
}

/** In characters. */
const longestMessage = 1_000;
const longestItemMessage = 100;

function withFate(attempt: Attempt, { outcome, reason, message, exitCode, ranAt, endedAt, failedItems }: EndedFate, longest: number): Attempt {
  return {
    ...withSight(attempt, ranAt),
    endedAt,
    outcome,
    ...(reason !== '' && outcome !== 'succeeded' && { reason }),
    ...(message !== '' && { message: message.length > longest ? `${message.slice(0, longest)}…` : message }),
    ...(exitCode !== undefined && { exitCode }),
    ...(failedItems !== undefined && { failedItems }),
  };
}

/** The cache does not show the Job: it is on its way, was refused, or somebody deleted it. Only a live look tells the last. */
function foldUnseen(draft: RunDraft, { step }: Site, attempt: Attempt): Attempt {
  const { reservations, refusals, absent } = draft.observed;
  const reservation = reservations.get(attempt.job);
  if (reservation === 'created') return attempt;
  const existed = draft.existed(attempt);
  if (reservation !== undefined || (existed && !absent.has(attempt.job))) {
    const because = reservation === undefined ? `Job "${attempt.job}" was there and is not shown any more` : `the create of Job "${attempt.job}" got no clean answer`;
    draft.lookUp(step, attempt.job, because);
    return attempt;
  }
  if (existed) return foldVanished(draft, step, attempt);
  const refusal = refusals.get(attempt.job);
  return refusal ? foldRefused(draft, attempt, refusal) : attempt;
}

/** A quota and a missing right are waited for; the others would say the same again. */
function foldRefused(draft: RunDraft, attempt: Attempt, { kind, message }: StepRefusal): Attempt {
  return kind === 'quota' || kind === 'forbidden' ? attempt : endedAs(attempt, draft.now, { outcome: 'refused', reason: refusalReasons[kind], message });
}
const refusalReasons = { refused: 'CreateRefused', denied: 'PolicyDenied', taken: 'JobNameTaken' } as const;

/** Its pods may outlive a Job, and still do its work. */
function foldVanished(draft: RunDraft, step: StepSpec, attempt: Attempt): Attempt {
  if (draft.awaitsOrphan(step, attempt.job)) return attempt;
  return endedAs(attempt, draft.now, { outcome: 'errored', reason: 'JobDeleted', message: `Job "${attempt.job}" was deleted before it had ended` });
}

/** The Job controller may come to another verdict than the containers. It is written down; nothing that followed is undone. */
function withVerdicts(draft: RunDraft, state: StepState): StepState {
  const items = state.items?.map((item) => withLineVerdicts(draft, item));
  const attempts = state.attempts && withAttemptVerdicts(draft, state.attempts);
  const same = attempts === state.attempts && (items?.every((item, index) => item === state.items?.[index]) ?? true);
  return same ? state : { ...state, ...(attempts && { attempts }), ...(items && { items }) };
}

function withLineVerdicts(draft: RunDraft, line: Line): Line {
  const attempts = withAttemptVerdicts(draft, line.attempts);
  return attempts === line.attempts ? line : { ...line, attempts };
}

function withAttemptVerdicts(draft: RunDraft, attempts: readonly Attempt[]): readonly Attempt[] {
  const next = attempts.map((attempt) => {
    const job = attempt.outcome === undefined || attempt.verdict !== undefined ? undefined : draft.job(attempt.job);
    const verdict = job && laterVerdict(job, attempt);
    return verdict === undefined ? attempt : { ...attempt, verdict };
  });
  return next.every((attempt, index) => attempt === attempts[index]) ? attempts : next;
}
