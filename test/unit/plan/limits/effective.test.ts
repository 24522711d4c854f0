import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../../src/plan/observed.ts';
import { effectiveLimits, isUnlimited, noCeilings, noLimits, sameLimits } from '../../../../src/plan/limits/effective.ts';
import type { LimitFields, LimitsSpec } from '../../../../src/spec/limits.ts';
import { aBrokenClaim, aConfigMap, noon, seconds } from '../../../support/builders.ts';

const limits = (name: string, fields: Partial<LimitsSpec>, source: Partial<Parameters<typeof aConfigMap>[0]> = {}): Claim => {
  const spec: LimitsSpec = { kind: 'Limits', name, hash: `hash-${name}`, suspend: false, ...noCeilings, ...fields };
  return { source: aConfigMap({ name, uid: `uid-${name}`, ...source }), parsed: { kind: 'Limits', name, hash: spec.hash, spec, problems: [] } };
};
const groups = (of: Record<string, number>): ReadonlyMap<string, number> => new Map(Object.entries(of));
const rate = (starts: number, within: number): LimitFields['startRate'] => ({ starts, within });

describe('what holds', () => {
  it('is nothing where nobody says anything', () => {
    expect(effectiveLimits([], noCeilings)).toEqual(noLimits);
    expect(isUnlimited(effectiveLimits([[limits('a', {})]], noCeilings))).toBe(true);
  });

  it('is the smallest of each bound, and every rate', () => {
    const one = limits('one', { maxJobs: 10, groups: groups({ gpu: 4, cpu: 9 }), startRate: rate(10, 1000) });
    const two = limits('two', { maxJobs: 20, groups: groups({ gpu: 2 }), startRate: rate(100, 60_000) });
    expect(effectiveLimits([[one], [two]], { maxJobs: 15, groups: groups({ io: 1, cpu: 3 }), startRate: rate(10, 1000) })).toEqual({
      ...noLimits,
      maxJobs: 10,
      groups: groups({ io: 1, cpu: 3, gpu: 2 }),
      rates: [rate(10, 1000), rate(100, 60_000)],
    });
  });

  it('is suspended by any that says so', () => {
    expect(effectiveLimits([[limits('one', { suspend: true })], [limits('two', {})]], noCeilings).suspendedBy).toEqual(['one']);
  });

  it('is unknown where one is broken, whatever the others say', () => {
    const { broken, maxJobs } = effectiveLimits([[aBrokenClaim(aConfigMap({ name: 'bad' }))], [limits('two', { maxJobs: 1 })]], noCeilings);
    expect([broken, maxJobs]).toEqual([[{ name: 'bad', problem: 'there is no field "pod"' }], 1]);
  });

  it('is what the newest of one name says, and nothing of one that is being deleted', () => {
    const older = limits('same', { maxJobs: 1 }, { name: 'older', createdAt: noon - seconds(60) });
    const newer = limits('same', { maxJobs: 9 }, { name: 'newer', createdAt: noon });
    const going = limits('gone', { maxJobs: 2 }, { deleting: true });
    expect(effectiveLimits([[older, newer], [going]], noCeilings).maxJobs).toBe(9);
  });
});

describe('two ways to say the same', () => {
  it('are the same limits', () => {
    const one = effectiveLimits([[limits('a', { maxJobs: 3, groups: groups({ x: 1, y: 2 }) })]], noCeilings);
    const other = effectiveLimits([[limits('b', { groups: groups({ y: 2, x: 1 }) })], [limits('c', { maxJobs: 3 })]], noCeilings);
    expect([sameLimits(one, other), sameLimits(one, noLimits)]).toEqual([true, false]);
  });
});
