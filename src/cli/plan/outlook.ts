/** What the controller would do once a change is applied: the same plans, over the cluster as it is now. */
import type { Claim, TemplateVerdict } from '../../plan/observed.ts';
import type { PlanEnvironment } from '../../plan/environment.ts';
import type { DepthAnswer } from '../../reconcile/ports.ts';
import type { DepthDemand, VerdictDemand } from '../../plan/action.ts';
import { isRunnable } from '../../spec/parsed.ts';
import type { LiveCluster } from '../live/live-cluster.ts';

/** What becomes of something that is there. */
export interface Consequence {
  /** `job/…`, `run/…`. */
  readonly subject: string;
  readonly what: string;
}

export interface Outlook {
  /** What the spec would stand at; undefined: it is gone. */
  readonly stand: { readonly state: string; readonly reason: string; readonly message: string } | undefined;
  readonly existing: readonly Consequence[];
  /** What would start now, or why nothing does: a sentence each. */
  readonly starts: readonly string[];
  /** When something happens by itself, milliseconds since 1970. */
  readonly next: number | undefined;
  /** What the API server says to its Jobs; undefined: it was not asked. */
  readonly checked: TemplateVerdict['result'] | undefined;
}

export interface OutlookDeps {
  readonly live: LiveCluster;
  readonly environment: PlanEnvironment;
  /** Asks the API server whether it would take these Jobs; undefined: nobody asks. */
  readonly check: ((demand: VerdictDemand) => Promise<TemplateVerdict['result']>) | undefined;
  /** How many messages wait; undefined: nobody can tell from here. */
  readonly depth: ((demand: DepthDemand) => Promise<DepthAnswer>) | undefined;
}

/** The claims without what only holds them up: a text is checked also while it is suspended. */
export function unheld(claims: readonly Claim[]): readonly Claim[] {
  return claims.map((claim) => {
    const { spec } = claim.parsed;
    return spec?.kind === 'Queue' || isRunnable(spec) ? { ...claim, parsed: { ...claim.parsed, spec: { ...spec, suspend: false, observe: false } } } : claim;
  });
}

/** A verdict for planning on: where nobody was asked, or may ask, the outlook is that it passes. */
export function assumed(hash: string, result: TemplateVerdict['result'] | undefined, now: number): TemplateVerdict {
  const isClear = result && result.kind !== 'forbidden' && result.kind !== 'unknown';
  return { hash, at: now, count: 1, result: isClear ? result : { kind: 'passed', warnings: [] } };
}
