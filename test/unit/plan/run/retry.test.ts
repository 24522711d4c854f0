import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryAfter } from '../../../../src/plan/run/retry.ts';
import type { Attempt } from '../../../../src/plan/run/state.ts';
import type { RetrySpec } from '../../../../src/spec/workflow.ts';
import { aJobTemplate, minutes, noon, seconds } from '../../../support/builders.ts';
import { aTemplateWithMemory, noRetry } from '../../../support/steps.ts';

const template = aJobTemplate();
const retry = (changes: Partial<RetrySpec> = {}): RetrySpec => ({ ...noRetry, attempts: 5, ...changes });
/** An attempt that began at `at` and failed a minute later. */
const failure = (changes: Partial<Attempt> = {}): Attempt => {
  const { at = noon } = changes;
  return { job: 'nightly-load', at, endedAt: at + minutes(1), outcome: 'failed', reason: 'Error', exitCode: 1, ...changes };
};
const failures = (count: number): Attempt[] => Array.from({ length: count }, (_, index) => failure({ at: noon + minutes(10) * index }));
const over = { kind: 'over' };

describe('which attempts are followed by another', () => {
  it.each<[string, { readonly [Field in keyof Attempt]?: Attempt[Field] | undefined }, Partial<RetrySpec>, 'again' | 'over']>([
    ['one that failed', {}, {}, 'again'],
    ['one that failed without an exit code, such as by its timeout', { exitCode: undefined, reason: 'Timeout' }, { exitCodes: { retry: [3] } }, 'again'],
    ['one that was evicted', { outcome: 'errored', exitCode: undefined }, { exitCodes: { retry: [3] } }, 'again'],
    ['one that never started, whatever the exit code', { outcome: 'notStarted', exitCode: 128 }, { exitCodes: { fail: [128] } }, 'again'],
    ['not one that succeeded', { outcome: 'succeeded' }, {}, 'over'],
    ['not one that the API server refused', { outcome: 'refused' }, {}, 'over'],
    ['not one that was cancelled', { outcome: 'cancelled' }, {}, 'over'],
    ['not one that is open', { outcome: undefined }, {}, 'over'],
    ['one whose exit code is worth it', { exitCode: 3 }, { exitCodes: { retry: [2, 3] } }, 'again'],
    ['not one whose exit code is not worth it', { exitCode: 4 }, { exitCodes: { retry: [2, 3] } }, 'over'],
    ['one whose exit code is not final', { exitCode: 4 }, { exitCodes: { fail: [2, 3] } }, 'again'],
    ['not one whose exit code is final', { exitCode: 3 }, { exitCodes: { fail: [2, 3] } }, 'over'],
    ['not an OOM kill whose exit code is final', { exitCode: 137, reason: 'OOMKilled' }, { exitCodes: { fail: [137] } }, 'over'],
    ['an OOM kill that onOOM speaks of, whatever its exit code', { exitCode: 137, reason: 'OOMKilled' }, { exitCodes: { fail: [137] }, onOOM: { factor: 2, maxMemory: '1Gi' } }, 'again'],
    ['not an Indexed Job whose items failed: they had their attempts inside of it', { failedItems: [3] }, {}, 'over'],
    ['an Indexed Job that never started', { outcome: 'notStarted', exitCode: undefined }, {}, 'again'],
  ])('%s', (_sentence, attempt, spec, kind) => {
    // As records have them: what is not known is absent.
    const last = JSON.parse(JSON.stringify({ ...failure(), ...attempt })) as Attempt;
    expect(retryAfter(retry(spec), [last], template).kind).toBe(kind);
  });

  it('none at all where there has been none', () => {
    expect(retryAfter(retry(), [], template)).toEqual(over);
  });

  it('as many as there are attempts in all, whatever they failed of', () => {
    const attempts: Attempt[] = [failure({ outcome: 'errored' }), failure({ outcome: 'notStarted' }), failure()];
    expect(retryAfter(retry({ attempts: 4 }), attempts, template).kind).toBe('again');
    expect(retryAfter(retry({ attempts: 3 }), attempts, template)).toEqual(over);
    expect(retryAfter(retry({ attempts: 1 }), [failure()], template)).toEqual(over);
  });
});

describe('when the next attempt starts', () => {
  it.each([[1, 10], [2, 20], [3, 40], [4, 60]])('after %d attempts: %d seconds after the end of the last, growing up to a cap', (count, wait) => {
    const attempts = failures(count);
    expect(retryAfter(retry({ maxDelay: seconds(60) }), attempts, template)).toEqual({ kind: 'again', at: (attempts.at(-1)?.endedAt ?? 0) + seconds(wait) });
  });

  it('at once without a delay', () => {
    expect(retryAfter(retry({ attempts: 3000, delay: 0, factor: 10 }), failures(2000), template)).toMatchObject({ at: noon + minutes(10) * 1999 + minutes(1) });
  });

  it('never later than `within` after the first attempt', () => {
    expect(retryAfter(retry({ within: seconds(70) }), failures(1), template)).toMatchObject({ kind: 'again', at: noon + seconds(70) });
    expect(retryAfter(retry({ within: seconds(69) }), failures(1), template)).toEqual(over);
  });

  it('never before the last has ended, and never beyond the longest delay', () => {
    fc.assert(fc.property(fc.nat(3_600_000), fc.integer({ min: 1, max: 10 }), fc.nat(3_600_000), fc.integer({ min: 1, max: 99 }), (delay, factor, maxDelay, count) => {
      const next = retryAfter(retry({ attempts: 100, delay, factor, maxDelay }), failures(count), template);
      const end = failures(count).at(-1)?.endedAt ?? 0;
      expect(next).toMatchObject({ kind: 'again' });
      expect('at' in next && next.at - end >= Math.min(delay, maxDelay) && next.at - end <= maxDelay).toBe(true);
    }));
  });
});

describe('memory after an OOM kill', () => {
  const onOOM = { factor: 2, maxMemory: '3Gi' };
  const killed = (memory?: string): Attempt => failure({ reason: 'OOMKilled', exitCode: 137, ...(memory === undefined ? {} : { memory }) });
  const memoryAfter = (attempt: Attempt, from = aTemplateWithMemory({ limits: '512Mi', requests: '128Mi' }), spec: RetrySpec['onOOM'] = onOOM) => {
    const next = retryAfter(retry({ onOOM: spec }), [attempt], from);
    return next.kind === 'again' ? next.memory : 'over';
  };

  it.each<[string, ReturnType<typeof memoryAfter>, string | undefined]>([
    ['is a multiple of the limit in the template', memoryAfter(killed()), '1Gi'],
    ['is a multiple of what the attempt had', memoryAfter(killed('1Gi')), '2Gi'],
    ['goes no further than the cap', memoryAfter(killed('2Gi')), '3Gi'],
    ['is not raised any more once the cap was not enough', memoryAfter(killed('3Gi')), 'over'],
    ['is not raised where the template has more than the cap', memoryAfter(killed(), aTemplateWithMemory({ limits: '4Gi' })), 'over'],
    ['counts from the request where there is no limit', memoryAfter(killed(), aTemplateWithMemory({ requests: '100Mi' })), '200Mi'],
    ['cannot be raised where there is neither: it was the node that ran out', memoryAfter(killed(), template), undefined],
    ['cannot be raised where it is no quantity', memoryAfter(killed(), aTemplateWithMemory({ limits: 'much' })), undefined],
    ['grows by factors that are no whole numbers', memoryAfter(killed(), aTemplateWithMemory({ limits: '1G' }), { factor: 1.5, maxMemory: '8Gi' }), '1431Mi'],
    ['stays after another failure', memoryAfter(failure({ memory: '2Gi' })), '2Gi'],
    ['stays as the template has it after another failure', memoryAfter(failure()), undefined],
    ['stays after an OOM kill that onOOM does not speak of', memoryAfter(killed(), template, undefined), undefined],
  ])('%s', (_sentence, memory, expected) => {
    expect(memory).toBe(expected);
  });

  it('reaches the cap in the end, and is over then', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 4096 }), fc.double({ min: 1.1, max: 10, noNaN: true }), (mebibytes, factor) => {
      const spec = retry({ attempts: 200, onOOM: { factor, maxMemory: '64Gi' } });
      const from = aTemplateWithMemory({ limits: `${mebibytes}Mi` });
      const attempts = [killed()];
      let next = retryAfter(spec, attempts, from);
      while (next.kind === 'again') {
        attempts.push(killed(next.memory));
        next = retryAfter(spec, attempts, from);
      }
      expect(attempts.at(-1)?.memory).toBe('64Gi');
    }), { numRuns: 50 });
  });
});
