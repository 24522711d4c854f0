import { describe, expect, it } from 'vitest';
import type { ObservedJob } from '../../../src/plan/observed.ts';
import { aFailedPod, aJob, anEndedJob, aPod, aQueueSpec, aRunningJob, aRunningPod, aStartingJob, aSuspendedJob, complete, endingNote, failed, hours, minutes, noon, observed, observedOf, ready, seconds, unreachable, usualUpkeep, waitingFor } from '../../support/builders.ts';
import { aMessageJob, settledAs } from '../../support/message-builders.ts';
import { acts, planAt, standing } from '../../support/planning.ts';

const name = 'Job "thumbnails-1"';

describe('what a queue stands at while its Job lives', () => {
  it.each([
    ['a Job without a pod is starting', aJob(), {}, 'Starting', 'JobStarting', `${name} is starting`],
    ['a Job without a pod whose Events tell why', aJob(), { 'uid-thumbnails-1': 'FailedCreate: exceeded quota' }, 'Starting', 'NoPodCreated', `${name} has no pod: FailedCreate: exceeded quota`],
    ['a Job whose pod waits is starting', aStartingJob({ pods: [aPod({ waiting: waitingFor('ErrImagePull', noon, 'no such tag') })] }), {}, 'Starting', 'JobStarting', `${name} is starting: pod pod-a, container "main": ErrImagePull: no such tag`],
    ['a running Job', aRunningJob(), {}, 'Running', 'JobRunning', `${name} is running`],
    ['a Job that Kueue holds', aSuspendedJob(), {}, 'Starting', 'JobSuspended', `${name} is suspended`],
    ['a Job that was given up on', aStartingJob({ recorded: endingNote('notStarted', { message: 'no node' }), pods: [] }), {}, 'Ending', 'JobEnding', `${name} is being ended: no node`],
    ['a Job that was given up on, with a pod that does not go', aRunningJob({ recorded: endingNote('failed', { message: 'too slow' }) }), {}, 'Ending', 'JobEnding', `${name} is being ended: too slow; pod "pod-a" still lives on node "node-1"`],
    ['a Job with a verdict and a living pod', aRunningJob({ finished: failed() }), {}, 'Ending', 'PodsRemain', `${name} has ended; pod "pod-a" still lives on node "node-1"`],
    ['a pod that was never scheduled has no node', aStartingJob({ finished: failed() }), {}, 'Ending', 'PodsRemain', `${name} has ended; pod "pod-a" still lives`],
    ['a Job that is being deleted', aJob({ deleting: true }), {}, 'Ending', 'PodsRemain', `${name} is being deleted`],
  ] as const)('%s', (_sentence, job, events, state, reason, message) => {
    expect(standing(observed({ jobs: [job], explanations: new Map(Object.entries(events)), depth: ready(9) }))).toEqual({ state, reason, message });
  });

  it('a living Job comes before everything that a spec may want', () => {
    const spec = aQueueSpec({ suspend: true, observe: true });
    expect(standing(observedOf(spec, { jobs: [aRunningJob()], verdict: undefined })).state).toBe('Running');
  });

  it('a finished Job beside a living one does not free the queue', () => {
    expect(standing(observed({ jobs: [anEndedJob('succeeded', { sequence: 1 }), aRunningJob({ sequence: 2 })], depth: ready(5, 'after Job thumbnails-2') })).state).toBe('Running');
  });
});

it('while the instance is suspended a Job gets no more pods, and is not ended for another revision: what runs may finish', () => {
  const room = { jobs: 0, halted: true, shortage: { state: 'Suspended', reason: 'InstanceSuspended', message: '' } } as const;
  const spec = aQueueSpec({ drain: { ...aQueueSpec().drain, pods: { min: 1, max: 5, messagesPerPod: 1 } } });
  const grown = observedOf(spec, { jobs: [aRunningJob()], depth: ready(4, 'scale thumbnails-1 from 1') });
  expect([acts(planAt(grown)), acts(planAt({ ...grown, room }))]).toEqual([['scale QueueGrew thumbnails-1'], []]);
  const edited = observedOf({ ...spec, hash: 'hash-2', onSpecChange: 'replace' }, { jobs: [aRunningJob()] });
  expect([acts(planAt(edited)), acts(planAt({ ...edited, room }))]).toEqual([['end SpecChanged thumbnails-1'], []]);
});

describe('a Job for a message, in a queue that drains now', () => {
  const edited = aQueueSpec({ hash: 'hash-2', onSpecChange: 'replace' });

  it('is ended for the new text, and its message goes back to the queue', () => {
    expect(acts(planAt(observedOf(edited, { jobs: [aMessageJob('a', { pods: [aRunningPod()] })] })))).toEqual(['end SpecChanged orders-a-1']);
  });

  it('is left alone where its message was taken from the queue: nothing else is left of it', () => {
    const taken = aMessageJob('a', { note: { settle: 'onJobCreated' }, settled: settledAs('taken'), pods: [aRunningPod()] });
    expect(acts(planAt(observedOf(edited, { jobs: [taken] })))).toEqual([]);
  });
});

describe('an edited spec', () => {
  const edited = (changes: Parameters<typeof aQueueSpec>[0] = {}) => aQueueSpec({ hash: 'hash-2', ...changes });
  it('leaves the running Job alone', () => {
    expect(acts(planAt(observedOf(edited(), { jobs: [aRunningJob()] })))).toEqual([]);
  });

  it.each([
    ['a running Job', aRunningJob()],
    ['a starting Job', aStartingJob()],
    ['a Job without a pod', aJob()],
    ['a suspended Job', aSuspendedJob()],
  ])('with onSpecChange replace it ends %s of the older revision', (_sentence, job) => {
    const plan = planAt(observedOf(edited({ onSpecChange: 'replace' }), { jobs: [job] }));
    expect(acts(plan)).toEqual(['end SpecChanged thumbnails-1']);
    expect(plan.actions[0]).toMatchObject({ suspended: job.suspended, outcome: { phase: 'ending', outcome: 'errored', reason: 'SpecChanged' } });
  });

  it.each([
    ['a Job of this revision', aRunningJob({ specHash: 'hash-2' }), {}],
    ['a Job that is being ended', aRunningJob({ recorded: endingNote('failed') }), {}],
    ['a Job that has its verdict', aRunningJob({ finished: complete(), recorded: { ...endingNote('succeeded'), phase: 'final' } }), {}],
    ['a Job that is being deleted', aRunningJob({ deleting: true }), {}],
    ['a running Job when suspend was set: what runs may finish', aRunningJob(), { suspend: true }],
    ['a running Job when observe was set: it changes nothing', aRunningJob(), { observe: true }],
  ])('with onSpecChange replace it leaves alone %s', (_sentence, job, changes) => {
    expect(acts(planAt(observedOf(edited({ onSpecChange: 'replace', ...changes }), { jobs: [job] })))).toEqual([]);
  });

  it('a Job that is ended for its timeout is not ended a second time for its age', () => {
    const job = aRunningJob({ upkeep: { ...usualUpkeep, timeout: 1 } });
    expect(acts(planAt(observedOf(edited({ onSpecChange: 'replace' }), { jobs: [job] })))).toEqual(['end Timeout thumbnails-1']);
  });
});

describe('a queue that grows while its Job runs', () => {
  const spec = aQueueSpec({ drain: { pods: { max: 5, messagesPerPod: 10 } } });
  const question = 'scale thumbnails-1 from 2';
  const job = (changes: Partial<ObservedJob> = {}): ObservedJob => aRunningJob({ parallelism: 2, ...changes });

  it('gets more pods', () => {
    const plan = planAt(observedOf(spec, { jobs: [job()], depth: ready(35, question) }));
    expect(plan.actions).toEqual([{ kind: 'scale', reason: 'QueueGrew', because: '35 messages are ready', job: { name: 'thumbnails-1', uid: 'uid-thumbnails-1', resourceVersion: '100' }, parallelism: 4 }]);
    expect(plan.demands).toEqual([{ kind: 'depth', question, source: spec.source, upTo: 50, every: seconds(10) }]);
  });

  it.each([
    ['never more than max', job(), ready(1_000, question), 5],
    ['never fewer: a pod that is taken away may hold a message', job(), ready(5, question), undefined],
    ['not for the same number', job(), ready(20, question), undefined],
    ['not on a reading for another number of pods', job(), ready(50, 'scale thumbnails-1 from 1'), undefined],
    ['not on an unknown depth', job(), unreachable(question), undefined],
    ['also before its pods run', aStartingJob({ parallelism: 2 }), ready(50, question), 5],
  ] as const)('%s', (_sentence, of, depth, parallelism) => {
    expect(planAt(observedOf(spec, { jobs: [of], depth })).actions.map((action) => action.kind === 'scale' && action.parallelism)).toEqual(parallelism === undefined ? [] : [parallelism]);
  });

  it.each([
    ['a Job with as many pods as it may have', job({ parallelism: 5 }), spec],
    ['a Job of which a pod has succeeded', job({ pods: [aRunningPod(), aPod({ name: 'pod-b', phase: 'Succeeded' })] }), spec],
    ['a Job of which a pod has failed', job({ pods: [aRunningPod(), aFailedPod(1, { name: 'pod-b' })] }), spec],
    ['a Job that counts a pod which is gone', job({ succeededPods: 1 }), spec],
    ['a Job that counts a failed pod which is gone', job({ failedPods: 1 }), spec],
    ['a Job of an older revision', job({ specHash: 'hash-0' }), spec],
    ['a Job that is being ended', job({ recorded: endingNote('failed') }), spec],
    ['a Job of a suspended queue', job(), { ...spec, suspend: true }],
    ['a Job of an observed queue', job(), { ...spec, observe: true }],
  ])('asks nothing about %s', (_sentence, of, by) => {
    const plan = planAt(observedOf(by, { jobs: [of], depth: ready(50, `scale thumbnails-1 from ${of.parallelism}`) }));
    expect(plan.demands).toEqual([]);
    expect(acts(plan)).toEqual([]);
  });

  it('a Job that is ended for its timeout gets no more pods in the same breath', () => {
    const late = job({ upkeep: { ...usualUpkeep, timeout: minutes(1) }, pods: [aRunningPod({ startedAt: noon - hours(1) })] });
    const plan = planAt(observedOf(spec, { jobs: [late], depth: ready(50, question) }));
    expect(acts(plan)).toEqual(['end Timeout thumbnails-1']);
    expect(plan.demands).toEqual([]);
  });
});
