import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepJobName, subRunName, type AttemptPlace } from '../../../../src/plan/run/names.ts';

const place = (changes: Partial<AttemptPlace> = {}): AttemptPlace => ({ uid: 'record-uid', step: 'load', role: 'do', index: undefined, attempt: 1, ...changes });
const dnsLabel = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const anyPlace: fc.Arbitrary<AttemptPlace> = fc.record({
  uid: fc.uuid(),
  step: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/),
  role: fc.constantFrom('do', 'undo'),
  index: fc.option(fc.nat(10_000), { nil: undefined }),
  attempt: fc.integer({ min: 1, max: 100 }),
});
const anyName = fc.string({ unit: 'binary', maxLength: 80 });

describe('names of step Jobs', () => {
  it('the name of one attempt never changes between versions: it is the lock', () => {
    expect(stepJobName('nightly', place(), false)).toBe('nightly-load-q2qwv6ir2wle');
    expect(subRunName('nightly', place())).toBe('nightly-q2qwv6ir2wle');
  });

  it.each<[string, string, string, boolean, RegExp]>([
    ['begin with workflow and step', 'nightly', 'load', false, /^nightly-load-[a-z2-7]{12}$/],
    ['show all of a short step however long the workflow', 'w'.repeat(60), 'load', false, /^w{34}-load-[a-z2-7]{12}$/],
    ['show half of either where both are long', 'w'.repeat(60), 's'.repeat(60), false, /^w{19}-s{19}-[a-z2-7]{12}$/],
    ['are shorter for Indexed Jobs', 'w'.repeat(60), 's'.repeat(60), true, /^w{13}-s{13}-[a-z2-7]{12}$/],
    ['are lower case without underscores', 'Nightly', 'load_Data', false, /^nightly-load-data-[a-z2-7]{12}$/],
  ])('%s', (_sentence, workflow, step, indexed, shape) => {
    expect(stepJobName(workflow, place({ step }), indexed)).toMatch(shape);
  });

  it('are DNS labels of at most 52 characters, 40 for Indexed Jobs, the same each time', () => {
    fc.assert(fc.property(anyName, anyPlace, fc.boolean(), (workflow, at, indexed) => {
      const name = stepJobName(workflow, at, indexed);
      expect(name).toMatch(dnsLabel);
      expect(name.length).toBeLessThanOrEqual(indexed ? 40 : 52);
      expect(stepJobName(workflow, { ...at }, indexed)).toBe(name);
    }));
  });

  it('leave room for the index in the names of pods and in their host names', () => {
    fc.assert(fc.property(anyName, anyPlace, (workflow, at) => {
      expect(`${stepJobName(workflow, at, true)}-9999`.length).toBeLessThanOrEqual(63);
      expect(`${stepJobName(workflow, at, true)}-9999-abcde`.length).toBeLessThanOrEqual(63);
    }));
  });

  it('differ for whatever differs', () => {
    fc.assert(fc.property(anyPlace, anyPlace, (left, right) => {
      fc.pre(JSON.stringify(Object.values(left)) !== JSON.stringify(Object.values(right)));
      expect(stepJobName('nightly', left, false)).not.toBe(stepJobName('nightly', right, false));
    }));
    const names = [place(), place({ role: 'undo' }), place({ index: 0 }), place({ attempt: 2 }), place({ uid: 'other' }), place({ step: 'other' })].map((at) => stepJobName('nightly', at, false));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('names of sub-runs', () => {
  it('begin with the workflow that runs, and fit a record', () => {
    fc.assert(fc.property(anyName, anyPlace, (workflow, at) => {
      expect(subRunName(workflow, at)).toMatch(dnsLabel);
      expect(subRunName(workflow, at).length).toBeLessThanOrEqual(52);
    }));
    expect(subRunName('child', place())).toMatch(/^child-[a-z2-7]{12}$/);
  });

  it('differ by item and attempt', () => {
    expect(new Set([place(), place({ index: 1 }), place({ attempt: 2 })].map((at) => subRunName('child', at))).size).toBe(3);
  });
});
