import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObservedJob } from '../../../src/plan/observed.ts';
import { waitAfterRuns, waitClass, waitFor } from '../../../src/plan/wait.ts';
import { aJob, anEndedJob, aQueueSpec, aRunningJob, minutes, noon, seconds } from '../../support/builders.ts';

const spec = aQueueSpec();
/** Jobs 1, 2, 3 … that ended so one after the other, the last at noon. */
function ended(...outcomes: readonly ('succeeded' | 'failed' | 'errored' | 'notStarted' | 'refused')[]): ObservedJob[] {
  return outcomes.map((outcome, index) => anEndedJob(outcome, { sequence: index + 1, at: noon - minutes(10 * (outcomes.length - 1 - index)) }));
}

describe('the wait after the last Jobs', () => {
  it.each([
    ['no Job has ended: no wait', [], undefined],
    ['a Job that lives asks for no wait', [aRunningJob()], undefined],
    ['success asks for its own wait, which is none', ended('succeeded'), { class: 'succeeded', streak: 1, breakerOpen: false, until: noon }],
    ['a failure asks for 30 s', ended('failed'), { class: 'failed', streak: 1, breakerOpen: false, until: noon + seconds(30) }],
    ['an eviction waits as a failure does', ended('errored'), { class: 'failed', streak: 1, breakerOpen: false, until: noon + seconds(30) }],
    ['evictions and failures are one streak', ended('failed', 'errored'), { class: 'failed', streak: 2, breakerOpen: false, until: noon + seconds(60) }],
    ['failures after a success begin a new streak', ended('failed', 'failed', 'succeeded', 'failed'), { class: 'failed', streak: 1, breakerOpen: false, until: noon + seconds(30) }],
    ['waits of another kind do not add up', ended('failed', 'failed', 'notStarted'), { class: 'notStarted', streak: 1, breakerOpen: false, until: noon + minutes(2) }],
    ['the wait doubles with each repetition', ended('failed', 'failed', 'failed'), { class: 'failed', streak: 3, breakerOpen: false, until: noon + seconds(120) }],
    ['the wait grows no longer than the pace of probes', ended(...Array<'failed'>(9).fill('failed')), { class: 'failed', streak: 9, breakerOpen: false, until: noon + minutes(5) }],
    ['five Jobs in a row that did not start open the breaker', ended(...Array<'notStarted'>(5).fill('notStarted')), { class: 'notStarted', streak: 5, breakerOpen: true, until: noon + minutes(5) }],
    ['four do not', ended(...Array<'notStarted'>(4).fill('notStarted')), { class: 'notStarted', streak: 4, breakerOpen: false, until: noon + minutes(5) }],
    ['successes never grow', ended('succeeded', 'succeeded', 'succeeded'), { class: 'succeeded', streak: 3, breakerOpen: false, until: noon }],
    ['a Job of an older revision of the spec counts for nothing', ended('failed').map((job) => ({ ...job, specHash: 'hash-0' })), undefined],
    ['a Job that is being deleted counts for nothing', ended('failed').map((job) => ({ ...job, deleting: true })), undefined],
  ] as const)('%s', (_sentence, jobs, wait) => {
    expect(waitAfterRuns(spec, jobs)).toEqual(wait);
  });

  it('the drain sequence orders Jobs, whatever the clocks say', () => {
    const jobs = [anEndedJob('failed', { sequence: 2, at: noon - minutes(60) }), anEndedJob('succeeded', { sequence: 1, at: noon })];
    expect(waitAfterRuns(spec, jobs)?.class).toBe('failed');
  });

  it('Jobs without a sequence are ordered by their creation', () => {
    const jobs = [anEndedJob('failed', { name: 'a', sequence: 0, at: noon }), anEndedJob('succeeded', { name: 'b', sequence: 0, at: noon - minutes(5) })].map((job) => ({ ...job, sequence: undefined }));
    expect(waitAfterRuns(spec, jobs)?.class).toBe('failed');
    expect(waitAfterRuns(spec, [...jobs].reverse())?.class).toBe('failed');
  });

  it('a success that retention has taken away still stands between two failures', () => {
    const keepsNoSuccess = ended('failed', 'succeeded', 'failed', 'succeeded', 'failed').filter((job) => job.recorded?.outcome === 'failed');
    expect(waitAfterRuns(aQueueSpec({ breaker: { failed: 3 } }), keepsNoSuccess)).toEqual({ class: 'failed', streak: 1, breakerOpen: false, until: noon + seconds(30) });
  });

  it('a Job that nobody has marked yet counts by what its pods tell', () => {
    const [job] = ended('failed');
    expect(waitAfterRuns(spec, [{ ...job!, recorded: undefined }])?.class).toBe('failed');
  });

  it('an open breaker on failures probes at its own pace', () => {
    const strict = aQueueSpec({ breaker: { failed: 2, probeEvery: minutes(7) } });
    expect(waitAfterRuns(strict, ended('failed', 'failed'))).toEqual({ class: 'failed', streak: 2, breakerOpen: true, until: noon + minutes(7) });
  });

  it('a successful probe closes the breaker', () => {
    const strict = aQueueSpec({ breaker: { failed: 2 } });
    expect(waitAfterRuns(strict, ended('failed', 'failed', 'succeeded'))?.breakerOpen).toBe(false);
  });
});

describe('how long a wait is', () => {
  it.each([
    ['a base longer than the pace of probes is kept', aQueueSpec({ drain: { waitAfter: { failed: minutes(20) } } }), 'failed', 4, minutes(20)],
    ['a wait of none does not grow', aQueueSpec({ drain: { waitAfter: { failed: 0 } } }), 'failed', 9, 0],
    ['success waits as it was told, however often', aQueueSpec({ drain: { waitAfter: { succeeded: seconds(7) } } }), 'succeeded', 9, seconds(7)],
    ['a refusal is never repeated at once, even when no wait is wanted', aQueueSpec({ drain: { waitAfter: { refused: 0 } } }), 'refused', 1, seconds(1)],
    ['repeated refusals back off, even when no wait is wanted', aQueueSpec({ drain: { waitAfter: { refused: 0 } } }), 'refused', 4, seconds(8)],
    ['a streak of a thousand is a wait like any other', spec, 'failed', 1000, minutes(5)],
  ] as const)('%s', (_sentence, of, kind, streak, wait) => {
    expect(waitFor(of, kind, streak)).toBe(wait);
  });

  it('waits never shrink while a streak goes on, and never pass the pace of probes or the base', () => {
    const durations = fc.integer({ min: 0, max: 86_400_000 });
    fc.assert(
      fc.property(durations, durations, fc.integer({ min: 1, max: 100 }), fc.constantFrom('failed', 'notStarted', 'refused'), (base, probeEvery, streak, kind) => {
        const any = aQueueSpec({ drain: { waitAfter: { [kind]: base } }, breaker: { probeEvery } });
        const wait = waitFor(any, kind, streak);
        expect(waitFor(any, kind, streak + 1)).toBeGreaterThanOrEqual(wait);
        expect(wait).toBeLessThanOrEqual(Math.max(base, probeEvery, seconds(1)));
      }),
    );
  });
});

it('every outcome has its wait', () => {
  expect((['succeeded', 'failed', 'errored', 'notStarted', 'refused'] as const).map(waitClass)).toEqual(['succeeded', 'failed', 'failed', 'notStarted', 'refused']);
});

it('a Job that ended without an outcome cannot be: one without a verdict is not counted', () => {
  expect(waitAfterRuns(spec, [aJob({ finished: undefined })])).toBeUndefined();
});
