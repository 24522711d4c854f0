import { describe, expect, it } from 'vitest';
import { noCeilings } from '../../../../src/plan/limits/effective.ts';
import { planLimits } from '../../../../src/plan/limits/plan-limits.ts';
import type { Claim } from '../../../../src/plan/observed.ts';
import type { LimitsSpec } from '../../../../src/spec/limits.ts';
import { aBrokenClaim, aConfigMap, noon, observed } from '../../../support/builders.ts';

const claim = (fields: Partial<LimitsSpec>, source = aConfigMap({ name: 'team' })): Claim => {
  const spec: LimitsSpec = { kind: 'Limits', name: 'team', hash: 'hash-1', suspend: false, ...noCeilings, ...fields };
  return { source, parsed: { kind: 'Limits', name: 'team', hash: spec.hash, spec, problems: [] } };
};
const stands = (...claims: readonly Claim[]): string[] =>
  planLimits(observed({ key: { kind: 'limits', name: 'team' }, claims }), noon).statuses.map(({ claim: index, status: { state, reason, message, health } }) => [index, state, reason, health, message].join(' '));

describe('the status of Limits', () => {
  const cases: readonly [what: string, fields: Partial<LimitsSpec>, stand: string][] = [
    ['says what it bounds', { maxJobs: 10, groups: new Map([['gpu', 4], ['io', 2]]), startRate: { starts: 5, within: 60_000 } }, '0 Idle LimitsInForce Healthy at most 10 live Jobs; groups: gpu 4, io 2; at most 5 new in 1m'],
    ['says that it bounds nothing', {}, '0 Idle LimitsInForce Healthy bounds nothing'],
    ['names ten groups at most', { groups: new Map(Array.from({ length: 12 }, (_, index) => [`g${index}`, 1])) }, '0 Idle LimitsInForce Healthy groups: g0 1, g1 1, g2 1, g3 1, g4 1, g5 1, g6 1, g7 1, g8 1, g9 1 and 2 more'],
    ['says that the instance is suspended', { suspend: true, maxJobs: 3 }, '0 Suspended InstanceSuspended Healthy suspend is true: nothing starts in the whole instance'],
  ];
  it.each(cases)('%s', (_, fields, expected) => {
    expect(stands(claim(fields))).toEqual([expected]);
  });

  it('says what is broken, and what that does', () => {
    expect(stands(aBrokenClaim(aConfigMap({ name: 'team' })))).toEqual(['0 Rejected SpecRejected Degraded there is no field "pod"; until this is mended, nothing starts in the whole instance']);
  });

  it('says of the older of two that the newer counts', () => {
    expect(stands(claim({}, aConfigMap({ name: 'old', createdAt: 1 })), claim({ maxJobs: 1 }, aConfigMap({ name: 'new', createdAt: 2 })))).toEqual([
      '1 Idle LimitsInForce Healthy at most 1 live Job',
      '0 Superseded SpecSuperseded Healthy "new" also defines limits "team" and is newer',
    ]);
  });

  it('is nobody\'s where there is no claim', () => {
    expect(stands()).toEqual([]);
  });
});
