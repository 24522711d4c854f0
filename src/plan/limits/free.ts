/** Whether, and how much, something may start under the limits, and what to say where it may not. */
import { nearest } from '../../lib/nearest.ts';
import { anyOf, shown } from '../../lib/show.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { EffectiveLimits } from './effective.ts';
import type { Shortage } from './room.ts';

/** What takes places. Holders are named by kind and name: `queue a`. */
export interface Use {
  readonly jobs: number;
  inGroup(group: string): number;
  /** Jobs created within so many milliseconds, and those being created. */
  startsWithin(milliseconds: number): number;
}

/** What keeps everything of a group from starting, however much is free; undefined: nothing. */
export function haltOf(limits: EffectiveLimits, group: string | undefined): Shortage | undefined {
  const [broken] = limits.broken;
  if (broken) return { state: 'Blocked', reason: 'LimitsBroken', message: `Limits "${broken.name}" is broken, and nothing starts until it is mended: ${broken.problem}` };
  const [by] = limits.suspendedBy;
  if (by !== undefined) return { state: 'Suspended', reason: 'InstanceSuspended', message: `Limits "${by}" suspends the instance: nothing starts` };
  if (group === undefined || limits.groups.has(group)) return undefined;
  return { state: 'Blocked', reason: 'GroupUnknown', message: `no Limits has the group ${shown(group)}; ${knownGroups(limits, group)}` };
}

function knownGroups({ groups }: EffectiveLimits, group: string): string {
  const known = [...groups.keys()].sort();
  const guess = nearest(group, known);
  if (guess !== undefined) return `did you mean ${shown(guess)}?`;
  return known.length === 0 ? 'add it to groups of a Limits' : `the groups are ${anyOf(known.slice(0, 10))}`;
}

/** Which bound has the least left. */
export interface Free {
  readonly jobs: number;
  readonly by: 'maxJobs' | 'group' | 'startRate' | undefined;
}

/** What is left for a group that is not halted; never negative, also where a limit was lowered below what runs. */
export function freeOf(limits: EffectiveLimits, use: Use, group: string | undefined): Free {
  const { maxJobs, groups, rates } = limits;
  const ofGroup = group === undefined ? undefined : groups.get(group);
  const bounds: Free[] = [
    ...(ofGroup === undefined || group === undefined ? [] : [{ jobs: ofGroup - use.inGroup(group), by: 'group' as const }]),
    ...(maxJobs === undefined ? [] : [{ jobs: maxJobs - use.jobs, by: 'maxJobs' as const }]),
    ...rates.map(({ starts, within }) => ({ jobs: starts - use.startsWithin(within), by: 'startRate' as const })),
  ];
  const least = bounds.reduce<Free>((left, right) => (right.jobs < left.jobs ? right : left), { jobs: Infinity, by: undefined });
  return { ...least, jobs: Math.max(0, least.jobs) };
}

/** How many places each holder has. */
export type Holders = ReadonlyMap<string, number>;

const mostHolders = 3;

/** Why a group gets no more than `free` now. `holders`: of the group, or of all Jobs where maxJobs is what is full. */
export function shortageOf(limits: EffectiveLimits, { by }: Free, { group, holders }: { readonly group: string | undefined; readonly holders: Holders }): Shortage {
  const used = [...holders.values()].reduce((sum, count) => sum + count, 0);
  switch (by) {
    case 'group':
      return { state: 'Waiting', reason: 'GroupFull', message: `${used} of ${limits.groups.get(group ?? '') ?? 0} Jobs of group "${group ?? ''}" are live${holdersText(holders)}` };
    case 'startRate':
      return { state: 'Waiting', reason: 'StartRateReached', message: `no more than ${limits.rates.map(({ starts, within }) => `${starts} ${starts === 1 ? 'Job' : 'Jobs'} in ${formatDuration(within)}`).join(' and ')} may start` };
    case 'maxJobs':
    case undefined:
      return { state: 'Waiting', reason: 'LimitReached', message: `${used} of ${limits.maxJobs ?? used} Jobs are live${holdersText(holders)}` };
  }
}

/** Those with most places first. */
function holdersText(holders: Holders): string {
  const sorted = [...holders].sort(([left, many], [right, more]) => more - many || (left < right ? -1 : 1));
  if (sorted.length === 0) return '';
  const some = sorted.slice(0, mostHolders).map(([holder, count]) => `${count} of ${holder}`);
  const rest = sorted.slice(mostHolders).reduce((sum, [, count]) => sum + count, 0);
  return `: ${[...some, ...(rest > 0 ? [`${rest} of others`] : [])].join(', ')}`;
}
