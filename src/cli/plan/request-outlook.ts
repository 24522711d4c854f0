/** What would become of a Run: whether its run is asked for, or what of an edit still counts. */
import type { Claim, SpecKey } from '../../plan/observed.ts';
import { planRequest } from '../../plan/request/plan-request.ts';
import { isFinished } from '../../plan/workflow/records.ts';
import { observeRequest } from '../live/observe-request.ts';
import type { SpecChange } from './changes.ts';
import type { Outlook, OutlookDeps } from './outlook.ts';

/** `changes`: all of them, for what a Run names may come with the same files. */
export function requestOutlook({ live, environment }: OutlookDeps, change: SpecChange, changes: readonly SpecChange[]): Outlook {
  const claimsOf = (key: SpecKey): readonly Claim[] => {
    const changed = changes.find((one) => one.key.kind === key.kind && one.key.name === key.name);
    return changed?.claims ?? live.specs.filter((spec) => spec.key.kind === key.kind && spec.key.name === key.name).map(({ claim }) => claim);
  };
  const observed = observeRequest(live, change.key, { claims: change.claims, word: change.before?.word, claimsOf });
  const { actions, statuses } = planRequest(observed, environment, live.now);
  const { record } = observed;
  const left = change.after ? undefined : live.records.find(({ request }) => request?.run === change.name);
  return {
    stand: statuses.find(({ claim }) => claim === change.index)?.status,
    existing: [
      ...(record ? actions.flatMap((action) => (action.kind === 'commandRun' ? [{ subject: `run/${record.name}`, what: `is told: ${Object.keys(action.commands).join(', ')}` }] : [])) : []),
      ...(left && !isFinished(left) ? [{ subject: `run/${left.name}`, what: 'goes on: what was accepted outlives its Run' }] : []),
    ],
    starts: actions.flatMap((action) => (action.kind === 'askRun' ? [`a run of ${action.request.workflow === undefined ? `template "${action.request.template ?? ''}"` : `workflow "${action.request.workflow}"`} is asked for`] : [])),
    next: undefined,
    checked: undefined,
  };
}
