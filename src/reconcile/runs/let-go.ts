/**
 * Names that a run asked for without a clean answer, when the run is over or its record is gone: no plan looks them up any
 * more, and each takes a place under the limits for as long as nobody knows whether its Job is there.
 */
import type { SpecKey } from '../../plan/observed.ts';
import { lookUpNamed, type LookUpDeps } from '../create-named.ts';
import type { JobTasks } from './job-tasks.ts';

/** Whether it is known now of every name that nobody is asking about. */
export async function letGo(deps: LookUpDeps & { readonly tasks: Pick<JobTasks, 'underWay'> }, key: SpecKey): Promise<boolean> {
  const underWay = deps.tasks.underWay(key);
  const doubted = deps.memory.reservations(key).filter(({ jobName, state }) => state !== 'created' && !underWay.has(jobName));
  const known = await Promise.all(doubted.map(({ jobName }) => isKnown(deps, key, jobName)));
  return known.every((one) => one);
}

/** A Job that is there is shown before long, and then speaks for itself. */
async function isKnown(deps: LookUpDeps, key: SpecKey, jobName: string): Promise<boolean> {
  const result = await lookUpNamed(deps, key, jobName);
  if (result.kind === 'found') deps.memory.confirm(key, jobName, result.job.resourceVersion);
  return result.kind !== 'unclear';
}
