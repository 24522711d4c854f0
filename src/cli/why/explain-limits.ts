/** What a Limits holds up, and how much of each bound of the instance is used. */
import { planLimits } from '../../plan/limits/plan-limits.ts';
import type { CapacityView } from '../../reconcile/capacity/capacity.ts';
import type { LiveSpec } from '../live/live-cluster.ts';
import { observeQueue } from '../live/observe.ts';
import { specTitle } from '../live/spec-key.ts';
import { definitionOf, losersOf, undefinedSpec } from './explain-spec.ts';
import { few, link, type Link } from './link.ts';
import { unblockOf, type View } from './view.ts';

export function explainLimits(view: View, key: LiveSpec['key'], { kind, name }: Pick<LiveSpec, 'kind' | 'name'>): Link {
  const { live } = view;
  const definition = definitionOf(view, key);
  const { claims, winner, index } = definition;
  const stand = planLimits(observeQueue(live, key, claims, winner?.word), live.now).statuses.find(({ claim }) => claim === index)?.status;
  if (!winner || !stand) return undefinedSpec(view, { kind, name }, []);
  const { state, reason, message } = stand;
  const bounds = live.capacity.view().filter(({ limit }) => limit !== undefined);
  return link({
    subject: specTitle(kind, name),
    state, reason, message,
    unblock: unblockOf(view, winner, reason),
    because: [...few(bounds.map((bound) => explainBound(view, winner, bound)), 'groups'), ...losersOf(view, definition)],
  });
}

/** Of all Limits together: the smallest bound holds. */
function explainBound(view: View, spec: LiveSpec, { group, used, limit = 0 }: CapacityView): Link {
  const isFull = used >= limit;
  const reason = isFull ? (group === '' ? 'LimitReached' : 'GroupFull') : '';
  const { shortage } = view.live.capacity.room({ key: spec.key, group: group === '' ? undefined : group, priority: 0, holder: '' });
  return link({
    subject: group === '' ? 'maxJobs' : `groups.${group}`,
    state: isFull ? 'Full' : 'Free',
    reason,
    message: isFull && shortage.reason === reason ? shortage.message : `${used} of ${limit} places are taken`,
    unblock: isFull ? unblockOf(view, spec, reason) : '',
  });
}
