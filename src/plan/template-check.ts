/** A template is used only after the API server's own dry run; what it refuses is a problem of the spec. */
import { growingPause } from '../lib/growing-pause.ts';
import type { VerdictDemand } from './action.ts';
import type { Stand } from './draft.ts';
import type { TemplateVerdict } from './template-verdict.ts';

export interface Check {
  readonly hash: string;
  /** Of any revision. */
  readonly verdict: TemplateVerdict | undefined;
  readonly now: number;
  /** Asked for only while there is no verdict that they pass. */
  readonly manifests: () => VerdictDemand['manifests'];
  /** Milliseconds until a refused template is asked about again, after so many refusals in a row. */
  readonly pause: (count: number) => number;
}

/** Asks, and says what the spec stands at meanwhile; undefined: its templates have passed. */
export function planCheck(draft: { demand(demand: VerdictDemand): void; wake(at: number): void }, check: Check): Stand | undefined {
  const { hash, now } = check;
  const verdict = check.verdict?.hash === hash ? check.verdict : undefined;
  if (verdict?.result.kind === 'passed') return undefined;
  const notBefore = verdict ? verdict.at + pauseAfter(verdict, check) : now;
  draft.demand({ kind: 'verdict', hash, manifests: check.manifests(), notBefore });
  if (!verdict) return { state: 'Checking', reason: 'SpecChecking', message: 'the API server is asked whether it would take the Job' };
  draft.wake(notBefore);
  return verdictStand(verdict.result);
}

/** What a spec stands at whose templates have not passed. */
export function verdictStand({ kind, message }: Exclude<TemplateVerdict['result'], { readonly kind: 'passed' }>): Stand {
  if (kind === 'refused') return { state: 'Rejected', reason: 'TemplateRefused', message };
  if (kind === 'denied') return { state: 'Rejected', reason: 'PolicyDenied', message };
  if (kind === 'forbidden') return { state: 'Blocked', reason: 'Forbidden', message };
  return { state: 'Checking', reason: 'TemplateUnchecked', message: `the dry run of the Job got no clear answer: ${message}` };
}

/** No clear answer is asked for again soon; a refusal only now and then, for what was missing may come. */
function pauseAfter(verdict: TemplateVerdict, { pause }: Check): number {
  if (verdict.result.kind === 'unknown') return growingPause(verdict.count, 1000, 60_000);
  return pause(verdict.count);
}
