import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObservedJob } from '../../../src/plan/observed.ts';
import { planRetention, type RetentionView } from '../../../src/plan/retention.ts';
import { aRunningPod, anEndedJob, hours, minutes, noon, seconds } from '../../support/builders.ts';

const forever = { count: undefined, age: undefined };
function view(changes: Partial<RetentionView> = {}): RetentionView {
  return { retention: { succeeded: { count: 3, age: undefined }, failed: { count: 10, age: undefined } }, counted: 0, keepNewest: true, ...changes };
}
const keep = (succeeded: number | undefined, failed: number | undefined): RetentionView['retention'] => ({ succeeded: { count: succeeded, age: undefined }, failed: { count: failed, age: undefined } });
/** Jobs 1, 2, 3 …, ten minutes apart, the last ten minutes ago. */
function ended(...outcomes: readonly ('succeeded' | 'failed')[]): ObservedJob[] {
  return outcomes.map((outcome, index) => anEndedJob(outcome, { sequence: index + 1, at: noon - minutes(10 * (outcomes.length - index)) }));
}
const removed = (jobs: readonly ObservedJob[], of: RetentionView, now = noon): string[] => planRetention(jobs, of, now).remove.map((job) => job.name).sort();

describe('which finished Jobs may go', () => {
  it.each([
    ['nothing exists', [], view(), []],
    ['three successes are kept', ended('succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded'), view(), ['thumbnails-1', 'thumbnails-2']],
    ['successes and failures are counted apart', ended('succeeded', 'failed', 'succeeded', 'failed', 'succeeded', 'succeeded'), view({ retention: keep(3, 1) }), ['thumbnails-1', 'thumbnails-2']],
    ['the newest Job of a queue is never pruned', ended('succeeded'), view({ retention: keep(0, 0) }), []],
    ['without a spec the newest Job may go too', ended('succeeded'), view({ retention: keep(0, 0), keepNewest: false }), ['thumbnails-1']],
    ['the failures that the breaker counts stay', ended('failed', 'failed', 'failed', 'failed'), view({ retention: keep(0, 0), counted: 3 }), ['thumbnails-1']],
    ['without a spec no breaker counts', ended('failed', 'failed'), view({ retention: keep(0, 0), counted: 3, keepNewest: false }), ['thumbnails-1', 'thumbnails-2']],
    ['without bounds everything stays', ended('succeeded', 'failed', 'failed'), view({ retention: { succeeded: forever, failed: forever } }), []],
    ['a Job whose outcome is not written down stays', ended('succeeded', 'succeeded').map((job) => ({ ...job, recorded: undefined })), view({ retention: keep(0, 0) }), []],
    ['a Job with a living pod stays', ended('succeeded', 'succeeded').map((job) => ({ ...job, pods: [aRunningPod()] })), view({ retention: keep(0, 0) }), []],
    ['a Job that is being deleted is not deleted again', ended('succeeded', 'succeeded').map((job) => ({ ...job, deleting: true })), view({ retention: keep(0, 0) }), []],
    ['what is being deleted does not count among those that are kept', ended('succeeded', 'succeeded', 'succeeded').map((job, index) => ({ ...job, deleting: index === 2 })), view({ retention: keep(2, 0) }), []],
  ] as const)('%s', (_sentence, jobs, of, names) => {
    expect(removed(jobs, of)).toEqual(names);
  });

  it('a Job goes when it is too old, not before, and the plan says when that is', () => {
    const jobs = ended('failed', 'failed');
    const of = view({ retention: { succeeded: forever, failed: { count: undefined, age: hours(1) } } });
    const due = noon - minutes(20) + hours(1);
    expect(planRetention(jobs, of, due - 1)).toEqual({ remove: [], next: due });
    expect(planRetention(jobs, of, due)).toEqual({ remove: [jobs[0]], next: undefined });
  });

  it('nothing younger than any request of ours goes, so that no late create brings a name back', () => {
    const jobs = [anEndedJob('succeeded', { sequence: 1, at: noon - seconds(10) }), anEndedJob('succeeded', { sequence: 2, at: noon })];
    const of = view({ retention: keep(0, 0) });
    const due = noon - seconds(10) + minutes(2);
    expect(planRetention(jobs, of, due - 1)).toEqual({ remove: [], next: due });
    expect(removed(jobs, of, due)).toEqual(['thumbnails-1']);
  });

  it('whichever of count and age comes first decides', () => {
    const jobs = ended('succeeded', 'succeeded', 'succeeded');
    const of = view({ retention: { succeeded: { count: 2, age: hours(9) }, failed: forever } });
    expect(removed(jobs, of)).toEqual(['thumbnails-1']);
  });

  it('the newest by sequence stays whatever the clocks say', () => {
    const jobs = [anEndedJob('succeeded', { sequence: 2, at: noon - hours(3) }), anEndedJob('succeeded', { sequence: 1, at: noon - hours(1) })];
    expect(removed(jobs, view({ retention: keep(0, 0) }))).toEqual(['thumbnails-1']);
  });

  describe('what somebody wrote on a Job wins', () => {
    const kept = (job: ObservedJob, keepUntil: number): ObservedJob => ({ ...job, keepUntil });
    /** Seven, of which the second and third oldest are marked. */
    const marked = (first: number, second: number): ObservedJob[] => ended('succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded').map((job, index) => (index === 1 ? kept(job, first) : index === 2 ? kept(job, second) : job));

    it('for ever, or until a time, at which the plan looks again', () => {
      const jobs = marked(Infinity, noon + hours(1));
      expect(removed(jobs, view())).toEqual(['thumbnails-1', 'thumbnails-4']);
      expect(planRetention(jobs, view(), noon).next).toBe(noon + hours(1));
      expect(removed(jobs, view(), noon + hours(1))).toEqual(['thumbnails-1', 'thumbnails-3', 'thumbnails-4']);
    });

    it('and does not push out others: it is not counted', () => {
      expect(removed(marked(Infinity, Infinity), view({ retention: keep(5, 0) }))).toEqual([]);
    });

    it('a time that has passed means now, however few there are', () => {
      expect(removed(marked(0, noon - 1), view({ retention: keep(50, 0) }))).toEqual(['thumbnails-2', 'thumbnails-3']);
    });

    it('also against an age', () => {
      const of = view({ retention: { succeeded: { count: undefined, age: minutes(15) }, failed: forever }, keepNewest: false });
      expect(removed(ended('succeeded', 'succeeded', 'succeeded').map((job) => kept(job, noon + hours(9))), of)).toEqual([]);
    });

    it.each<[string, ObservedJob, Partial<RetentionView>]>([
      ['one that runs', { ...anEndedJob('succeeded'), finished: undefined, recorded: undefined }, { keepNewest: false }],
      ['one with a living pod', { ...anEndedJob('succeeded'), pods: [aRunningPod()] }, { keepNewest: false }],
      ['one whose outcome is not written down', { ...anEndedJob('succeeded'), recorded: undefined }, { keepNewest: false }],
      ['the newest of a queue', anEndedJob('succeeded'), {}],
      ['one that the breaker counts', anEndedJob('failed'), { counted: 1 }],
      ['one that ended a minute ago', anEndedJob('succeeded', { at: noon - minutes(1) }), { keepNewest: false }],
    ])('but never makes %s go', (_what, job, changes) => {
      expect(removed([kept(job, 0)], view({ retention: keep(0, 0), ...changes }))).toEqual([]);
    });
  });

  it('deleting what a plan says leaves nothing to delete', () => {
    const outcome = fc.constantFrom('succeeded' as const, 'failed' as const);
    const bound = fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined });
    const age = fc.option(fc.integer({ min: 0, max: hours(2) }), { nil: undefined });
    const rule = fc.record({ count: bound, age });
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 12 }), rule, rule, fc.integer({ min: 0, max: 6 }), (outcomes, succeeded, failed, counted) => {
        const jobs = ended(...outcomes);
        const of = view({ retention: { succeeded, failed }, counted });
        const { remove } = planRetention(jobs, of, noon);
        const left = jobs.filter((job) => !remove.includes(job));
        expect(removed(left, of)).toEqual([]);
        if (jobs.length > 0) expect(left).toContain(jobs.at(-1));
      }),
    );
  });
});
