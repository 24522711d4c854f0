import { describe, expect, it } from 'vitest';
import type { ObservedJob, ObservedPod, StepJobFacts, StepPodFacts } from '../../../../src/plan/observed.ts';
import { aRunningPod, complete, endingNote, failed, finalNote, minutes, noon, seconds, usualUpkeep } from '../../../support/builders.ts';
import { aLease, aMessageJob, aMessageQueueSpec, freeOf, observedMessages, rabbitOrders, said, settledAs, settlementsOf } from '../../../support/message-builders.ts';
import { acts, planAt } from '../../../support/planning.ts';

const plain: StepJobFacts = { indexed: false, completions: 1, parallelism: 1, restartPolicy: 'Never', awaitsVerdict: false, completedIndexes: '', failedIndexes: '' };
const ended: StepPodFacts = { index: undefined, done: 'succeeded', doneAt: noon - seconds(1), messages: [{ container: 'main', text: '{"pages":3}' }], containers: 1 };
const donePod = (changes: Partial<ObservedPod> = {}): ObservedPod => aRunningPod({ step: ended, ...changes });
const done = (changes: Parameters<typeof aMessageJob>[1] = {}): ObservedJob => aMessageJob('a', { step: plain, pods: [donePod()], ...changes });
const written = (changes: Parameters<typeof aMessageJob>[1] = {}): ObservedJob => done({ recorded: finalNote('succeeded'), ...changes });
const lease = aLease('a');
const spec = aMessageQueueSpec();
const seen = (job: ObservedJob, view = {}) => observedMessages(spec, view, { jobs: [job] });
const marksOf = (job: ObservedJob) => planAt(seen(job)).actions.filter((action) => action.kind === 'mark');

describe('a Job for a message whose containers have all exited with 0', () => {
  it('has its outcome written down before the Job controller has its say', () => {
    expect(marksOf(done())).toMatchObject([{ reason: 'JobSucceeded', outcome: { phase: 'final', outcome: 'succeeded', reason: 'Completed' }, ran: seconds(4), endedAt: noon - seconds(1) }]);
    expect(said(planAt(seen(done(), { leases: [lease] })))).toEqual([]);
  });

  it.each<[string, Parameters<typeof aMessageJob>[1]]>([
    ['has success rules of its own', { step: { ...plain, awaitsVerdict: true } }],
    ['needs more pods than one', { step: { ...plain, completions: 2 } }],
    ['is indexed', { step: { ...plain, indexed: true } }],
    ['takes an unknown number of pods', { step: { ...plain, completions: undefined, parallelism: 2 } }],
    ['is one of which nobody knows what it takes', { step: undefined }],
    ['was taken at its creation', { note: { settle: 'onJobCreated' }, settled: settledAs('taken') }],
    ['is being deleted', { deleting: true }],
    ['has a pod that was asked to stop', { pods: [donePod({ deleting: true })] }],
    ['has a pod that was evicted', { pods: [donePod({ disrupted: true })] }],
    ['has failed', { pods: [donePod({ step: { ...ended, done: 'failed' } })] }],
    ['still runs', { pods: [donePod({ step: { ...ended, done: undefined } })] }],
  ])('waits for the Job controller where it %s', (_sentence, changes) => {
    expect(marksOf(done(changes))).toEqual([]);
  });

  it('is not given up on any more', () => {
    const late = { createdAt: noon - minutes(10), startedAt: noon - minutes(10), upkeep: { ...usualUpkeep, timeout: minutes(1) }, pods: [donePod({ startedAt: noon - minutes(9) })] };
    expect(acts(planAt(seen(done(late))))).toEqual(['mark JobSucceeded orders-a-1']);
    expect(acts(planAt(seen(written(late))))).toEqual([]);
  });

  it('has succeeded also where it was being given up on, if nobody had asked its pod to stop yet', () => {
    expect(marksOf(done({ recorded: endingNote('failed') }))).toMatchObject([{ reason: 'JobSucceeded' }]);
  });
});

describe('a message whose Job has its outcome written and no verdict', () => {
  it('is acknowledged with the outputs', () => {
    expect(settlementsOf(planAt(seen(written(), { leases: [lease] })))).toMatchObject([{ id: 'a', token: lease.token, how: { kind: 'complete', as: 'completed', output: { pages: 3 } } }]);
  });

  it('is acknowledged by the receipt of its note after a restart, and without one waits for the verdict', () => {
    expect(settlementsOf(planAt(seen(written({ note: { receipt: { handle: 'h' } } }))))).toMatchObject([{ token: undefined, receipt: { handle: 'h' }, how: { as: 'completed' } }]);
    const plan = planAt(seen(written({ note: { source: rabbitOrders } })));
    expect([said(plan), plan.wakeAt]).toEqual([[], undefined]);
  });

  it('runs nothing when it is delivered again meanwhile: it is acknowledged again', () => {
    expect(said(planAt(seen(written({ settled: settledAs('completed') }), { leases: [lease] })))).toEqual(['settle MessageCompleted a complete completed']);
  });

  it('leaves its place as soon as no pod of its Job lives', () => {
    const over = { pods: [donePod({ phase: 'Succeeded' })] };
    expect([done(over), written(), written(over)].map((job) => freeOf(planAt(seen(job))))).toEqual([9, 9, 10]);
    expect(freeOf(planAt(seen(written(over), { leases: [lease], underWay: new Set(['a']) })))).toBe(10);
  });

  it('keeps its Job from being pruned, replaced, or ended with its spec', () => {
    const settled = { settled: settledAs('completed', noon - minutes(30)), createdAt: noon - minutes(60) };
    const keepNone = aMessageQueueSpec({ onSpecChange: 'replace', hash: 'hash-1', retention: { succeeded: { count: 0, age: undefined }, failed: { count: 0, age: undefined } } });
    expect(acts(planAt(observedMessages(keepNone, {}, { jobs: [written({ ...settled, specHash: 'hash-0' })] })))).toEqual([]);
    expect(acts(planAt(observedMessages(spec, {}, { claims: [], jobs: [written({ specSource: 'file', ownerUid: undefined })] })))).toEqual([]);
  });
});

describe('the verdict of the Job controller', () => {
  it('is written beside the outcome where it is another, once, and changes nothing', () => {
    const late = failed(noon, 'DeadlineExceeded', 'Job was active longer than specified deadline');
    const job = written({ finished: late, pods: [donePod({ phase: 'Succeeded' })] });
    expect(marksOf(job)).toMatchObject([{ reason: 'VerdictDiffers', outcome: { outcome: 'succeeded', verdict: 'Failed: DeadlineExceeded: Job was active longer than specified deadline' } }]);
    expect(said(planAt(seen(job, { leases: [lease] })))).toEqual(['settle MessageCompleted a complete completed']);
    expect(marksOf({ ...job, recorded: finalNote('succeeded', { verdict: 'Failed' }) })).toEqual([]);
  });

  it('is no news where it is the same', () => {
    expect(marksOf(written({ finished: complete(), pods: [donePod({ phase: 'Succeeded' })] }))).toEqual([]);
  });
});
