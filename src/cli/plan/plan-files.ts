/** From files to what would change: reads, compares, plans. Nothing is written anywhere. */
import type { Clock } from '../../lib/clock.ts';
import type { TemplateVerdict } from '../../plan/observed.ts';
import type { DepthDemand, VerdictDemand } from '../../plan/action.ts';
import type { PlanEnvironment } from '../../plan/environment.ts';
import type { Problem } from '../../spec/problem.ts';
import type { SpecEnvironment } from '../../spec/parsed.ts';
import type { DepthAnswer } from '../../reconcile/ports.ts';
import type { SourceText } from '../lint/files.ts';
import { readLive } from '../live/live-cluster.ts';
import type { RunClient } from '../runs/run-client.ts';
import { changesOf, type SpecChange } from './changes.ts';
import { limitsAfter, limitsOutlook } from './limits-outlook.ts';
import { jobChanges, type JobChange } from './job-changes.ts';
import type { Outlook, OutlookDeps } from './outlook.ts';
import { asControllers, plannedSpecs } from './planned-spec.ts';
import { queueOutlook } from './queue-outlook.ts';
import { requestOutlook } from './request-outlook.ts';
import { workflowOutlook } from './workflow-outlook.ts';

export interface PlanDeps {
  readonly runs: RunClient;
  readonly clock: Clock;
  readonly environment: SpecEnvironment;
  /** undefined: the API server is not asked about Jobs. */
  readonly check: ((demand: VerdictDemand) => Promise<TemplateVerdict['result']>) | undefined;
  /** undefined: queues are not asked. */
  readonly depth: ((demand: DepthDemand) => Promise<DepthAnswer>) | undefined;
}

/** What would become of one spec. */
export interface PlannedChange extends SpecChange {
  readonly jobs: readonly JobChange[];
  /** undefined: it starts nothing, or its text has errors. */
  readonly outlook: Outlook | undefined;
}

export interface FilesPlan {
  readonly namespace: string;
  readonly changes: readonly PlannedChange[];
  readonly problems: readonly Problem[];
  /** A sentence each. */
  readonly notes: readonly string[];
}

export interface PlanFilesOptions {
  readonly sources: readonly SourceText[];
  readonly all: boolean;
}

/** Throws a UserError where the cluster cannot be read. */
export async function planFiles(deps: PlanDeps, { sources, all }: PlanFilesOptions): Promise<FilesPlan> {
  const { runs, clock, environment } = deps;
  const live = await readLive({ runs, clock, environment: asControllers(environment) });
  const planned = plannedSpecs(sources, environment, live);
  // What an operator injects is not known here, and changes nothing about when something starts.
  const plans: PlanEnvironment = { instance: live.instance, namespace: live.namespace, injection: () => undefined };
  const changes: PlannedChange[] = [];
  const compared = changesOf({ live, planned: planned.specs, all });
  live.capacity.limits = limitsAfter(live, compared);
  for (const change of compared) changes.push(await withOutlook({ ...deps, live, environment: plans }, change, compared));
  return { namespace: live.namespace, changes, problems: planned.problems, notes: planned.elsewhere };
}

async function withOutlook(deps: OutlookDeps, change: SpecChange, all: readonly SpecChange[]): Promise<PlannedChange> {
  const isBroken = change.after !== undefined && change.after.parsed.spec === undefined;
  const jobs = isBroken ? [] : jobChanges(change.before?.claim.parsed.spec, change.after?.parsed.spec);
  // Of what stays as it is the status tells more than any plan from here.
  const outlook = change.change === 'unchanged' && change.removed.length === 0 ? undefined : await outlookOf(deps, change, all);
  return { ...change, jobs, outlook };
}

function outlookOf(deps: OutlookDeps, change: SpecChange, all: readonly SpecChange[]): Promise<Outlook | undefined> {
  switch (change.key.kind) {
    case 'queue':
      return queueOutlook(deps, change);
    case 'workflow':
    case 'template':
      return workflowOutlook(deps, change);
    case 'limits':
      return Promise.resolve(limitsOutlook(deps, change));
    case 'request':
      return Promise.resolve(requestOutlook(deps, change, all));
    case 'run':
    case 'unknown':
      return Promise.resolve(undefined);
  }
}

/** Whether anything would be another after the files were applied. */
export function hasChanges({ changes }: FilesPlan): boolean {
  return changes.some(({ change, removed }) => change !== 'unchanged' || removed.length > 0);
}

/** The API server, or the operator's policy, would refuse a Job. */
export function isRefused({ outlook }: PlannedChange): boolean {
  return outlook?.checked?.kind === 'refused' || outlook?.checked?.kind === 'denied';
}
