/** What is in the cluster before a run begins: Jobs that an earlier start of it made, and those of other runs of the workflow. */
import type { KubernetesClient } from '../../adapters/kubernetes/client.ts';
import { annotationsOf, instanceSelector, labelsOf, timeAt } from '../../adapters/kubernetes/labels.ts';
import { listAll } from '../../adapters/kubernetes/list-all.ts';
import { jobs } from '../../adapters/kubernetes/resources.ts';
import { identityOf } from '../../adapters/kubernetes/watch-event.ts';
import { labelValue } from '../../lib/label-value.ts';
import { objectAt } from '../../lib/json.ts';
import { nameLabel, runLabel, stepAnnotation } from '../../spec/keys.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import { UserError } from '../exit-code.ts';
import { standaloneInstance } from './identity.ts';

export interface FoundJob {
  readonly name: string;
  readonly uid: string;
  readonly run: string;
  readonly step: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Jobs of all standalone runs of the workflow. Throws a UserError where the API server does not answer. */
export async function lookAround(client: Pick<KubernetesClient, 'list' | 'namespace'>, workflow: string): Promise<readonly FoundJob[]> {
  const labelSelector = `${instanceSelector(standaloneInstance)},${nameLabel}=${labelValue(workflow)}`;
  const list = await listAll({ client, resource: jobs, labelSelector, metadataOnly: true }, new AbortController().signal, foundJob, () => undefined);
  if (list.kind === 'failed') throw new UserError(`the Jobs in namespace "${client.namespace}" cannot be listed: ${list.failure.message}`);
  return [...list.objects.values()];
}

function foundJob(raw: unknown): FoundJob | undefined {
  const identity = identityOf(raw);
  const run = labelsOf(raw)[runLabel];
  if (!identity || run === undefined) return undefined;
  return { ...identity, run, step: annotationsOf(raw)[stepAnnotation] ?? '', createdAt: timeAt(objectAt(raw, 'metadata'), 'creationTimestamp') ?? 0 };
}

/** A step whose Job was there, since a step that comes after it has one, and is gone. */
export interface LostStep {
  readonly name: string;
  readonly after: string;
}

/**
 * Without its Job a step looks as if it had never run. Only steps that cannot have passed without one are told: those that
 * others wait for by name or by phase, and that neither a condition nor a failure that is allowed lets pass.
 */
export function lostSteps({ steps }: WorkflowSpec, found: ReadonlySet<string>): readonly LostStep[] {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const lost = new Map<string, LostStep>();
  for (const step of steps.filter(({ name }) => found.has(name))) {
    const { all, phase } = step.dependsOn;
    const before = [...all.flatMap((name) => byName.get(name) ?? []), ...(phase === undefined ? [] : steps.filter((other) => other.phase === phase))];
    for (const { name } of before.filter((other) => !found.has(other.name) && leavesAJob(other))) lost.set(name, { name, after: step.name });
  }
  return [...lost.values()];
}

function leavesAJob({ work, when, forEach, allowFailure }: StepSpec): boolean {
  return (work.kind === 'job' || work.kind === 'manifests') && when === undefined && forEach === undefined && !allowFailure;
}

/** Throws a UserError where going on would run again what has run. */
export function refuseToRewind(spec: WorkflowSpec, mine: readonly FoundJob[]): void {
  const [first, ...more] = lostSteps(spec, new Set(mine.map(({ step }) => step)));
  if (!first) return;
  const others = more.length === 0 ? '' : ` (and those of ${more.length} more)`;
  throw new UserError(`the Job of step "${first.name}" was deleted${others}: step "${first.after}", which comes after it, has one. Going on would run "${first.name}" again. Start from the beginning with --new-run; or delete the Jobs of the steps after it as well, to run them all again`);
}

/** One line for each other run of the workflow that has Jobs here. */
export function otherRuns(found: readonly FoundJob[], own: string): readonly string[] {
  const others = Map.groupBy(found.filter(({ run }) => run !== own), ({ run }) => run);
  return [...others].map(([run, its]) => `run ${run} of the same workflow has ${its.length} ${its.length === 1 ? 'Job' : 'Jobs'} here: another id, other parameters or another text`);
}
