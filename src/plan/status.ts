/** Plan and observation as the status document that users read. */
import type { Problem } from '../spec/problem.ts';
import type { LastRun, Status } from './action.ts';
import type { Told } from './before-delete.ts';
import type { Stand } from './draft.ts';
import { isoTime } from './iso-time.ts';
import { isLive } from './job-state.ts';
import type { Carrier } from './messages/carrier.ts';
import { runViews } from './messages/runs/run-view.ts';
import type { Claim, Observed, ObservedJob, TemplateVerdict } from './observed.ts';
import { finalOutcome } from './outcome.ts';

/** Longest message kept, in bytes as they stand in JSON: three of them and the rest stay below 4 KiB. */
const longestMessage = 1024;
/** Where the same is said in full elsewhere. */
const longestHint = 256;

/** The first error in full, for there is room for one line; lint shows them all. */
export function rejected(problems: readonly Problem[]): Stand {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return { state: 'Rejected', reason: 'SpecRejected', message: first ? `${describeProblem(first)}${more}` : 'the spec cannot be read' };
}

/** One line: where, what, and the hint. */
export function describeProblem(problem: Problem): string {
  const where = problem.position ? `line ${problem.position.line}, column ${problem.position.column}: ` : '';
  const path = problem.path === undefined ? '' : `${problem.path}: `;
  return `${where}${path}${problem.message}${problem.hint === undefined ? '' : `; ${problem.hint}`}`;
}

/** For the claims that lost. `by` is the name of the ConfigMap, or the path of the file, that won. */
export function superseded(claim: Claim, by: string): Stand {
  const kind = claim.parsed.kind?.toLowerCase() ?? 'spec';
  return { state: 'Superseded', reason: 'SpecSuperseded', message: `"${by}" also defines ${kind} "${claim.parsed.name}" and is newer` };
}

/** The status of one claim of a Queue. */
export function queueStatus(stand: Stand, claim: Claim, observed: Observed): Status {
  const all = [...observed.jobs, ...runViews(observed.messages ?? {})];
  const live = all.filter(isLive);
  return {
    ...claimStatus(stand, claim, { last: lastRun(all), verdict: observed.verdict }),
    liveJobs: live.length,
    oldJobs: live.filter((job) => job.specHash !== claim.parsed.hash).length,
  };
}

/** With what keeps deletions waiting. */
export function withFailingCalls(status: Status, failing: Told<never>['failing'], what: 'Job' | 'run'): Status {
  if (!failing) return status;
  const { count, message } = failing;
  const text = cut(`${count === 1 ? `1 ${what} stays` : `${count} ${what}s stay`}, since the call before its deletion fails: ${message}`, longestHint);
  return { ...status, conditions: [...status.conditions, { type: 'BeforeDelete', status: 'False', reason: 'BeforeDeleteFailed', message: text }] };
}

/** With what keeps messages from being settled. Without a count, which would change with each of them. */
export function withTroubles(status: Status, troubles: ReadonlyMap<string, string> | undefined): Status {
  const [first] = troubles?.values() ?? [];
  if (first === undefined) return status;
  return { ...status, conditions: [...status.conditions, { type: 'Settled', status: 'False', reason: 'MessageUnsettled', message: cut(`messages cannot be settled: ${first}`, longestHint) }] };
}

export interface StatusFacts {
  readonly last: LastRun | undefined;
  readonly verdict: TemplateVerdict | undefined;
}

/**
 * What a status of any kind says. Nothing in it moves by itself (no counts of messages, no times of polls): each change
 * costs a write.
 */
export function claimStatus(stand: Stand, claim: Claim, { last, verdict }: StatusFacts): Status {
  const message = cut(stand.message);
  return {
    state: stand.state,
    reason: stand.reason,
    message,
    health: healthOf(stand, claim, last),
    observedHash: claim.parsed.hash,
    conditions: conditions({ ...stand, message }, warningsOf(claim, verdict), last),
    lastRun: last,
  };
}

/**
 * A suspended, blocked or waiting queue is healthy: its configuration is in force, and a sync must not wait for a queue.
 * That a run failed is no fault of the configuration (Argo CD's own CronJob health broke pipelines that way), so it
 * counts only where the spec says so.
 */
function healthOf({ state }: Stand, claim: Claim, last: LastRun | undefined): Status['health'] {
  if (state === 'Rejected') return 'Degraded';
  if (state === 'Checking') return 'Progressing';
  const { spec } = claim.parsed;
  const counts = spec !== undefined && 'health' in spec && spec.health.includeLastRun && state !== 'Superseded';
  return counts && last !== undefined && last.outcome !== 'succeeded' ? 'Degraded' : 'Healthy';
}

function conditions(stand: Stand, warnings: string, last: LastRun | undefined): Status['conditions'] {
  const refused = stand.state === 'Rejected' || stand.state === 'Superseded';
  const checking = stand.reason === 'SpecChecking' || stand.reason === 'TemplateUnchecked';
  const accepted = refused
    ? ({ type: 'Accepted', status: 'False', reason: stand.reason, message: stand.message } as const)
    : ({ type: 'Accepted', status: checking ? 'Unknown' : 'True', reason: checking ? stand.reason : 'SpecAccepted', message: warnings } as const);
  const busy = stand.state === 'Starting' || stand.state === 'Running' || stand.state === 'Ending' || stand.state === 'Checking';
  const progressing = { type: 'Progressing', status: busy ? 'True' : 'False', reason: stand.reason, message: '' } as const;
  if (!last) return [accepted, progressing];
  const ok = last.outcome === 'succeeded';
  return [accepted, progressing, { type: 'LastRun', status: ok ? 'True' : 'False', reason: last.reason, message: lastText(last) }];
}

/** What `lastRun` says in full, for those who look at conditions. */
function lastText({ job, run, outcome, message }: LastRun): string {
  return cut(`${run === undefined ? `Job "${job ?? ''}"` : `run "${run}"`}: ${outcome}${message === '' ? '' : `, ${message}`}`, longestHint);
}

/** What lint would warn about, and what the API server warned about in its dry run (Pod Security, deprecated fields). */
function warningsOf(claim: Claim, verdict: TemplateVerdict | undefined): string {
  const ours = claim.parsed.problems.filter((problem) => problem.severity === 'warning').map(describeProblem);
  const theirs = verdict?.hash === claim.parsed.hash && verdict?.result.kind === 'passed' ? verdict.result.warnings : [];
  return cut([...ours, ...theirs].join('; '));
}

function lastRun(jobs: readonly (ObservedJob & { readonly carrier?: Carrier })[]): LastRun | undefined {
  const [newest] = jobs.filter((job) => job.finished !== undefined).sort((left, right) => (right.sequence ?? 0) - (left.sequence ?? 0) || (right.finished?.at ?? 0) - (left.finished?.at ?? 0));
  const outcome = newest && finalOutcome(newest);
  if (!newest?.finished || !outcome) return undefined;
  return { ...(newest.carrier?.kind === 'Run' ? { run: newest.name } : { job: newest.name }), outcome: outcome.outcome, reason: outcome.reason, message: cut(outcome.message), finishedAt: isoTime(newest.finished.at) };
}

/** At most `longest` bytes as they stand in JSON, ending in an ellipsis where something is missing. */
export function cut(text: string, longest = longestMessage): string {
  if (size(text) <= longest) return text;
  let left = longest - size('…');
  let kept = '';
  for (const character of text) {
    left -= size(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Bytes inside a JSON string. */
function size(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
