import { describe, expect, it } from 'vitest';
import { noLimits, type EffectiveLimits } from '../../../../src/plan/limits/effective.ts';
import { freeOf, haltOf, shortageOf, type Use } from '../../../../src/plan/limits/free.ts';

const limited = (changes: Partial<EffectiveLimits>): EffectiveLimits => ({ ...noLimits, ...changes });
const groups = (of: Record<string, number>): ReadonlyMap<string, number> => new Map(Object.entries(of));
const using = (jobs: number, inGroup: Record<string, number> = {}, starts = 0): Use => ({ jobs, inGroup: (group) => inGroup[group] ?? 0, startsWithin: () => starts });

describe('what keeps everything from starting', () => {
  const cases: readonly [what: string, limits: Partial<EffectiveLimits>, group: string | undefined, stand: string | undefined][] = [
    ['nothing', {}, undefined, undefined],
    ['nothing, for a group that is declared', { groups: groups({ gpu: 0 }) }, 'gpu', undefined],
    ['a Limits that suspends the instance', { suspendedBy: ['night'] }, undefined, 'Suspended InstanceSuspended Limits "night" suspends the instance: nothing starts'],
    ['a Limits that is broken, before all else', { broken: [{ name: 'a', problem: 'no' }], suspendedBy: ['b'] }, 'gpu', 'Blocked LimitsBroken Limits "a" is broken, and nothing starts until it is mended: no'],
    ['a group that nobody declares', {}, 'gpu', 'Blocked GroupUnknown no Limits has the group "gpu"; add it to groups of a Limits'],
    ['a group that others are not', { groups: groups({ imports: 1, disk: 1 }) }, 'gpu', 'Blocked GroupUnknown no Limits has the group "gpu"; the groups are "disk" or "imports"'],
    ['a group that is misspelt', { groups: groups({ gpus: 1 }) }, 'gpu', 'Blocked GroupUnknown no Limits has the group "gpu"; did you mean "gpus"?'],
    ['a group named as what every object has', { groups: groups({ gpu: 1 }) }, 'constructor', 'Blocked GroupUnknown no Limits has the group "constructor"; the groups are "gpu"'],
  ];
  it.each(cases)('%s', (_, limits, group, expected) => {
    const stand = haltOf(limited(limits), group);
    expect(stand && [stand.state, stand.reason, stand.message].join(' ')).toBe(expected);
  });
});

describe('what is free', () => {
  const cases: readonly [what: string, limits: Partial<EffectiveLimits>, use: Use, group: string | undefined, free: readonly [number, string | undefined]][] = [
    ['is without end where nothing bounds it', {}, using(1000), undefined, [Infinity, undefined]],
    ['is what maxJobs leaves', { maxJobs: 10 }, using(7), undefined, [3, 'maxJobs']],
    ['is what the group leaves', { maxJobs: 10, groups: groups({ gpu: 4 }) }, using(7, { gpu: 3 }), 'gpu', [1, 'group']],
    ['is what maxJobs leaves to a group with more room', { maxJobs: 10, groups: groups({ gpu: 4 }) }, using(9), 'gpu', [1, 'maxJobs']],
    ['is not bounded by a group that is not its own', { groups: groups({ gpu: 4 }) }, using(9, { gpu: 4 }), undefined, [Infinity, undefined]],
    ['is what the rate leaves', { maxJobs: 10, rates: [{ starts: 5, within: 1000 }] }, using(0, {}, 4), undefined, [1, 'startRate']],
    ['is nothing, not less, where a limit was lowered', { maxJobs: 2 }, using(7), undefined, [0, 'maxJobs']],
    ['is nothing in a group that is closed', { groups: groups({ gpu: 0 }) }, using(0), 'gpu', [0, 'group']],
  ];
  it.each(cases)('%s', (_, limits, use, group, expected) => {
    const { jobs, by } = freeOf(limited(limits), use, group);
    expect([jobs, by]).toEqual(expected);
  });
});

describe('why there is no more', () => {
  const holders = new Map([['queue a', 3], ['workflow b', 2], ['queue c', 1], ['queue d', 1]]);
  const cases: readonly [by: 'maxJobs' | 'group' | 'startRate', text: string][] = [
    ['maxJobs', 'LimitReached 7 of 7 Jobs are live: 3 of queue a, 2 of workflow b, 1 of queue c, 1 of others'],
    ['group', 'GroupFull 7 of 9 Jobs of group "gpu" are live: 3 of queue a, 2 of workflow b, 1 of queue c, 1 of others'],
    ['startRate', 'StartRateReached no more than 5 Jobs in 10s and 1 Job in 1s may start'],
  ];
  it.each(cases)('%s', (by, text) => {
    const limits = limited({ maxJobs: 7, groups: groups({ gpu: 9 }), rates: [{ starts: 5, within: 10_000 }, { starts: 1, within: 1000 }] });
    const { state, reason, message } = shortageOf(limits, { jobs: 0, by }, { group: 'gpu', holders });
    expect([state, `${reason} ${message}`]).toEqual(['Waiting', text]);
  });
});
