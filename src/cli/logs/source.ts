/** Whose pods are meant: those of a run, or of a queue. */
import type { ObservedRecord } from '../../plan/run/record.ts';
import { labelValue } from '../../lib/label-value.ts';
import * as keys from '../../spec/keys.ts';
import type { StepSpec } from '../../spec/workflow.ts';
import { UserError } from '../exit-code.ts';
import { findTarget, type Found } from '../runs/find-run.ts';
import { frozenSpec } from '../runs/frozen-spec.ts';
import { hint } from '../runs/lookup.ts';
import type { RunClient } from '../runs/run-client.ts';
import { readTarget } from '../runs/target.ts';

export interface LogSource {
  /** Selects its pods. */
  readonly labelSelector: string;
  /** As messages call it: `run "etl-1"`. */
  readonly title: string;
  /** The run that they belong to; undefined: a queue's. */
  readonly record: ObservedRecord | undefined;
  /** Only of this step of the run, and of what it runs. */
  readonly step: string | undefined;
  /** Some of its steps are runs of their own; also where nobody knows that yet. */
  readonly hasSubRuns: boolean;
}

/** Selects the pods that an instance made. */
function podsOf(instance: string): string {
  return `${keys.managedByLabel}=${keys.managedBy},${keys.instanceLabel}=${instance}`;
}

/** Selects the pods of one run. */
export function podsOfRun(instance: string, run: string): string {
  return `${podsOf(instance)},${keys.runLabel}=${run}`;
}

/** Throws a UserError where nothing has the name, or it has no logs. */
export async function logSource(runs: RunClient, name: string, step: string | undefined): Promise<LogSource> {
  const found = await findTarget(runs, readTarget(name));
  if (found.kind === 'queue' && step !== undefined) throw new UserError(`"${found.name}" is a queue: its Jobs have no steps`);
  if (found.kind === 'queue') return { labelSelector: `${podsOf(runs.instance)},${keys.jobKindLabel}=queue,${keys.nameLabel}=${labelValue(found.name)}`, title: `queue "${found.name}"`, record: undefined, step: undefined, hasSubRuns: false };
  const record = recordOf(found);
  const labelSelector = podsOfRun(runs.instance, record.name);
  const title = `run "${record.name}"`;
  const steps = await stepsOf(runs, record);
  const hasSubRuns = steps?.some(({ name, work }) => work.kind === 'subRun' && (step === undefined || name === step)) ?? true;
  if (step === undefined) return { labelSelector, title, record, step, hasSubRuns };
  checkStep(record, step, steps);
  return { labelSelector: `${labelSelector},${keys.stepLabel}=${labelValue(step)}`, title: `step "${step}" of ${title}`, record, step, hasSubRuns };
}

function recordOf(found: Found): ObservedRecord {
  if (found.kind === 'record') return found.record;
  if (found.kind === 'queue' || found.kind === 'limits') throw new UserError(`${found.kind} "${found.name}" has no runs`);
  if (!found.newest) throw new UserError(`${found.kind} "${found.name}" has not run yet`);
  return found.newest;
}

/** undefined: nobody knows them, which is so while it is queued. */
async function stepsOf(runs: RunClient, record: ObservedRecord): Promise<readonly StepSpec[] | undefined> {
  const content = await runs.content(record.name);
  const spec = content?.data && frozenSpec(record, content.data);
  return spec && [...spec.steps, ...spec.finally];
}

function checkStep(record: ObservedRecord, step: string, steps: readonly StepSpec[] | undefined): void {
  const names = steps?.map(({ name }) => name);
  if (names && !names.includes(step)) throw new UserError(`run "${record.name}" has no step "${step}"${hint(step, names, `its steps: ${names.join(', ')}`)}`);
}
