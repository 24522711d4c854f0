/** Whose pods are meant: those of a run, or of a queue. */
import type { ObservedRecord } from '../../plan/run/record.ts';
import { labelValue } from '../../lib/label-value.ts';
import * as keys from '../../spec/keys.ts';
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
}

/** Throws a UserError where nothing has the name, or it has no logs. */
export async function logSource(runs: RunClient, name: string, step: string | undefined): Promise<LogSource> {
  const found = await findTarget(runs, readTarget(name));
  const own = `${keys.managedByLabel}=${keys.managedBy},${keys.instanceLabel}=${runs.instance}`;
  if (found.kind === 'queue' && step !== undefined) throw new UserError(`"${found.name}" is a queue: its Jobs have no steps`);
  if (found.kind === 'queue') return { labelSelector: `${own},${keys.jobKindLabel}=queue,${keys.nameLabel}=${labelValue(found.name)}`, title: `queue "${found.name}"`, record: undefined };
  const record = recordOf(found);
  const ofRun = { labelSelector: `${own},${keys.runLabel}=${record.name}`, title: `run "${record.name}"`, record };
  if (step === undefined) return ofRun;
  await checkStep(runs, record, step);
  return { ...ofRun, labelSelector: `${ofRun.labelSelector},${keys.stepLabel}=${labelValue(step)}`, title: `step "${step}" of ${ofRun.title}` };
}

function recordOf(found: Found): ObservedRecord {
  if (found.kind === 'record') return found.record;
  if (found.kind === 'queue' || found.kind === 'limits') throw new UserError(`${found.kind} "${found.name}" has no runs`);
  if (!found.newest) throw new UserError(`${found.kind} "${found.name}" has not run yet`);
  return found.newest;
}

/** While it is queued nobody knows its steps. */
async function checkStep(runs: RunClient, record: ObservedRecord, step: string): Promise<void> {
  const content = await runs.content(record.name);
  const spec = content?.data && frozenSpec(record, content.data);
  const names = spec ? [...spec.steps, ...spec.finally].map(({ name }) => name) : undefined;
  if (names && !names.includes(step)) throw new UserError(`run "${record.name}" has no step "${step}"${hint(step, names, `its steps: ${names.join(', ')}`)}`);
}
