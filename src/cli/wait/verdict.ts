/** Whether what is waited for has come, can come no more, or may still come. Pure: of what the cluster shows at one moment. */
import { arrayAt, numberAt, stringAt, type JsonObject } from '../../lib/json.ts';
import { winningClaim } from '../../plan/winner.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import { isOf } from '../runs/find-run.ts';
import { firstProblem, standing, type SpecView } from '../runs/spec-view.ts';
import { targetText, type Target } from '../runs/target.ts';
import type { Goal } from './goal.ts';

export interface WaitFacts {
  readonly specs: readonly SpecView[];
  readonly records: readonly ObservedRecord[];
}

export interface Wanted {
  readonly target: Target;
  readonly goal: Goal;
  /** undefined: the text that stands in the cluster. */
  readonly specHash: string | undefined;
}

export type Verdict =
  | { readonly kind: 'met'; readonly message: string }
  /** It can come no more. */
  | { readonly kind: 'never'; readonly message: string }
  | { readonly kind: 'open'; readonly message: string }
  /** Nothing has the name, and nobody said that it is to come. */
  | { readonly kind: 'unknown'; readonly known: readonly string[] }
  | { readonly kind: 'several'; readonly kinds: readonly string[] }
  /** A run decides: it is to be followed to its end. */
  | { readonly kind: 'run'; readonly record: ObservedRecord };

/** What is waited for now. */
export function verdictOf(facts: WaitFacts, wanted: Wanted): Verdict {
  const { target, specHash } = wanted;
  if (target.kind === undefined) {
    const record = facts.records.find(({ name }) => name === target.name);
    if (record) return { kind: 'run', record };
  }
  const named = facts.specs.filter((spec) => spec.name === target.name && (target.kind === undefined || spec.kind.toLowerCase() === target.kind));
  const kinds = [...new Set(named.map(({ kind }) => kind))];
  if (kinds.length > 1) return { kind: 'several', kinds: kinds.map((kind) => kind.toLowerCase()) };
  const found = winningClaim(named.map(({ claim }) => claim));
  const spec = found && named[found.index];
  if (spec) return ofSpec(facts, spec, wanted);
  if (specHash !== undefined) return { kind: 'open', message: `${targetText(target)} is not there yet` };
  return { kind: 'unknown', known: [...facts.specs.map(({ name }) => name), ...facts.records.map(({ name }) => name)] };
}

function ofSpec(facts: WaitFacts, spec: SpecView, { target, goal, specHash }: Wanted): Verdict {
  const { hash, spec: text } = spec.claim.parsed;
  if (specHash !== undefined && hash !== specHash) return { kind: 'open', message: `${targetText(target)} has another text (${hash ?? 'broken'}) than ${specHash}` };
  const problem = firstProblem(spec.claim.parsed);
  if (!text && problem !== undefined) return { kind: 'never', message: `the spec has errors: ${problem}` };
  const run = goal.kind === 'succeeded' || goal.kind === 'finished' ? ownRun(facts, spec) : undefined;
  if (run) return { kind: 'run', record: run };
  return ofStatus(spec, goal);
}

/** The run that the text stands for: that of its revision, or the one that a Run asks for. */
function ownRun({ records }: WaitFacts, { name, claim: { source, parsed } }: SpecView): ObservedRecord | undefined {
  const uid = source.kind === 'configMap' ? source.uid : source.path;
  const own = records.filter(({ request }) => request?.source === uid);
  const found = parsed.spec?.kind === 'Run' ? own.filter((record) => isOf(record, { kind: 'run', name })) : own.filter(({ request }) => request?.trigger === 'change' && request.workflow === name && request.specHash === parsed.hash);
  return found.toSorted((left, right) => right.createdAt - left.createdAt)[0];
}

/** Whether its text alone makes a run that is to be waited for. */
function makesRun({ claim: { parsed: { spec } } }: SpecView): boolean {
  return spec?.kind === 'Run' || (spec?.kind === 'Workflow' && spec.trigger.onChange);
}

function ofStatus(spec: SpecView, goal: Goal): Verdict {
  const { status } = spec;
  const { state, reason, message } = standing(spec);
  if (!status) return { kind: 'open', message };
  if (stringAt(status, 'observedHash') !== spec.claim.parsed.hash) return { kind: 'open', message: 'job-chief has not looked at this text yet' };
  const text = `${state}${reason === '' ? '' : ` (${reason})`}: ${message}`;
  return { kind: standOf(spec, status, { goal, state }), message: text };
}

function standOf(spec: SpecView, status: JsonObject, { goal, state }: { readonly goal: Goal; readonly state: string }): 'met' | 'never' | 'open' {
  if (goal.kind === 'condition') return conditionOf(status, goal.type) === goal.status ? 'met' : 'open';
  const ended = endOfRun(spec, state);
  if (ended !== undefined) return ended || goal.kind !== 'succeeded' ? 'met' : 'never';
  const accepted = conditionOf(status, 'Accepted');
  if (accepted !== 'True') return accepted === 'False' ? 'never' : 'open';
  if (goal.kind === 'idle') return isIdle(status) ? 'met' : 'open';
  return makesRun(spec) ? 'open' : 'met';
}

/** Of a Run whose record is gone, or never came to be: whether it succeeded; undefined: it has not ended. */
function endOfRun({ claim }: SpecView, state: string): boolean | undefined {
  if (claim.parsed.spec?.kind !== 'Run') return undefined;
  if (state === 'Succeeded') return true;
  return state === 'Failed' || state === 'Cancelled' ? false : undefined;
}

function conditionOf(status: unknown, type: string): string {
  const condition = arrayAt(status, 'conditions').find((each) => stringAt(each, 'type') === type);
  return stringAt(condition, 'status') ?? 'Unknown';
}

function isIdle(status: unknown): boolean {
  const counts = ['liveJobs', 'activeRuns', 'queuedRuns'].map((field) => numberAt(status, field) ?? 0);
  return conditionOf(status, 'Progressing') === 'False' && counts.every((count) => count === 0);
}
