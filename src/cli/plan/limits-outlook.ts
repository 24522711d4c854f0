/** What limits would hold once the files were applied, and what that would keep from starting. */
import { effectiveLimits, noCeilings, type EffectiveLimits } from '../../plan/limits/effective.ts';
import { planLimits } from '../../plan/limits/plan-limits.ts';
import type { LiveCluster } from '../live/live-cluster.ts';
import { observeQueue } from '../live/observe.ts';
import type { SpecChange } from './changes.ts';
import type { Outlook, OutlookDeps } from './outlook.ts';

/** Those that the files speak of as they would be, the others as they are. The operator's own ceilings are not known here. */
export function limitsAfter({ specs }: LiveCluster, changes: readonly SpecChange[]): EffectiveLimits {
  const changed = changes.filter(({ key }) => key.kind === 'limits');
  const names = new Set(changed.map(({ key }) => key.name));
  const left = Map.groupBy(specs.filter(({ key }) => key.kind === 'limits' && !names.has(key.name)), ({ key }) => key.name);
  return effectiveLimits([...changed.map(({ claims }) => claims), ...[...left.values()].map((of) => of.map(({ claim }) => claim))], noCeilings);
}

export function limitsOutlook({ live }: OutlookDeps, change: SpecChange): Outlook {
  const plan = planLimits(observeQueue(live, change.key, change.claims, undefined), live.now);
  const halt = live.capacity.halt(undefined);
  const bounds = live.capacity.view().flatMap(({ group, used, limit }) => (limit === undefined ? [] : [{ what: group === '' ? 'maxJobs' : `group ${group}`, used, limit }]));
  return {
    stand: plan.statuses.find(({ claim }) => claim === change.index)?.status,
    existing: [],
    starts: halt ? [halt.message] : bounds.map(({ what, used, limit }) => `${what}: ${used} of ${limit} places are taken${used > limit ? '; what runs goes on, and nothing new starts until fewer do' : ''}`),
    next: undefined,
    checked: undefined,
  };
}
