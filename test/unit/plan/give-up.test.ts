import { describe, expect, it } from 'vitest';
import { earliest, patience, whyNotStarted } from '../../../src/plan/give-up.ts';
import type { ObservedJob } from '../../../src/plan/observed.ts';
import { aJob, aPod, aRunningJob, aRunningPod, aStartingJob, aSuspendedJob, complete, endingNote, hours, minutes, noon, seconds, usualUpkeep, waitingFor } from '../../support/builders.ts';

const none = new Map<string, string>();
const started = noon - seconds(5);
const stuck = (reason: string, since = noon - seconds(30)): ObservedJob => aJob({ pods: [aPod({ waiting: waitingFor(reason, since, 'no such tag') })] });
const withTimeout = (timeout: number): ObservedJob['upkeep'] => ({ ...usualUpkeep, timeout });

describe('a Job is given up on', () => {
  it.each([
    ['a pod that cannot pull its image for 30 s ends the Job', stuck('ImagePullBackOff'), 'PodFatal', 'notStarted', 'ImagePullBackOff', 'container "main": no such tag'],
    ['a name that cannot be parsed ends the Job at once', stuck('InvalidImageName', noon), 'PodFatal', 'notStarted', 'InvalidImageName', 'container "main": no such tag'],
    ['an image that must not be pulled ends the Job at once', stuck('ErrImageNeverPull', noon), 'PodFatal', 'notStarted', 'ErrImageNeverPull', 'container "main": no such tag'],
    ['a waiting reason without a message is told by its name', aJob({ pods: [aPod({ waiting: waitingFor('ErrImagePull', noon - minutes(1)) })] }), 'PodFatal', 'notStarted', 'ErrImagePull', 'container "main": ErrImagePull'],
    ['a second container that cannot start makes a Job that has started failed', aJob({ pods: [aRunningPod({ waiting: waitingFor('CreateContainerConfigError', noon - seconds(30)) })] }), 'PodFatal', 'failed', 'CreateContainerConfigError', 'container "main": CreateContainerConfigError'],
    ['a Job without a pod is ended after startTimeout', aJob({ startedAt: noon - minutes(15) }), 'StartTimeout', 'notStarted', 'StartTimeout', 'no container started within 900 s'],
    ['a Job whose pod cannot be scheduled is ended after startTimeout, and says why', aStartingJob({ startedAt: noon - minutes(15), pods: [aPod({ unscheduled: { reason: 'Unschedulable', message: '0/3 nodes' } })] }), 'StartTimeout', 'notStarted', 'StartTimeout', 'pod pod-a: Unschedulable: 0/3 nodes'],
    ['a Job without a note has the default startTimeout', aJob({ upkeep: undefined, startedAt: noon - minutes(15) }), 'StartTimeout', 'notStarted', 'StartTimeout', 'no container started within 900 s'],
    ['a Job that runs longer than its own timeout has failed', aRunningJob({ upkeep: withTimeout(seconds(4)) }), 'Timeout', 'failed', 'Timeout', 'still running after its timeout of 4 s'],
    ['the timeout runs from the first pod that started', aRunningJob({ upkeep: withTimeout(minutes(1)), pods: [aRunningPod({ startedAt: noon - seconds(59) }), aRunningPod({ startedAt: noon - seconds(60) })] }), 'Timeout', 'failed', 'Timeout', 'still running after its timeout of 60 s'],
    ['without a pod that tells its start the timeout runs from the start of the Job', aRunningJob({ upkeep: withTimeout(seconds(5)), pods: [aRunningPod({ startedAt: undefined })] }), 'Timeout', 'failed', 'Timeout', 'still running after its timeout of 5 s'],
    ['without any start the timeout runs from the creation of the Job', aRunningJob({ upkeep: withTimeout(seconds(5)), startedAt: undefined, pods: [aRunningPod({ startedAt: undefined })] }), 'Timeout', 'failed', 'Timeout', 'still running after its timeout of 5 s'],
  ] as const)('%s', (_sentence, job, reason, outcome, why, message) => {
    expect(patience(job, none, noon)).toEqual({ giveUp: { reason, outcome: { phase: 'ending', outcome, reason: why, message } } });
  });

  it.each([
    ['its timeout', seconds(10), seconds(30), 'Timeout'],
    ['the time for a bad image', seconds(50), minutes(2), 'PodFatal'],
  ] as const)('for the reason that came first, %s, however late somebody looks', (_, timeout, since, reason) => {
    const job = aRunningJob({ startedAt: noon - minutes(1), upkeep: withTimeout(timeout), pods: [aRunningPod({ startedAt: noon - minutes(1), waiting: waitingFor('ErrImagePull', noon - since) })] });
    for (const later of [0, minutes(10)]) expect(patience(job, none, noon + later)).toMatchObject({ giveUp: { reason } });
  });

  it('what the Events say stands in for a status that is mute', () => {
    const job = aJob({ startedAt: noon - minutes(15) });
    expect(patience(job, new Map([[job.uid, 'FailedCreate: exceeded quota: pods']]), noon)).toMatchObject({ giveUp: { outcome: { message: 'FailedCreate: exceeded quota: pods' } } });
  });
});

describe('a Job is left alone, and looked at again', () => {
  it.each([
    ['a pod that cannot pull its image for 29 s has another second', stuck('ErrImagePull', noon - seconds(29)), noon + seconds(1)],
    ['one healthy pod is reason enough to go on', aJob({ pods: [aPod({ waiting: waitingFor('ErrImagePull', noon - hours(1)) }), aPod({ name: 'pod-b' })] }), started + minutes(15)],
    ['the last of several stuck pods decides', aJob({ pods: [aPod({ waiting: waitingFor('ErrImagePull', noon - hours(1)) }), aPod({ name: 'pod-b', waiting: waitingFor('ErrImagePull', noon) })] }), noon + seconds(30)],
    ['a stuck pod that is being deleted is about to be replaced', aJob({ pods: [aPod({ deleting: true, waiting: waitingFor('ErrImagePull', noon - hours(1)) })] }), started + minutes(15)],
    ['a stuck pod that has ended already is not waited for', aJob({ pods: [aPod({ phase: 'Failed', waiting: waitingFor('ErrImagePull', noon - hours(1)) })] }), started + minutes(15)],
    ['a Job without a pod has until startTimeout', aJob(), started + minutes(15)],
    ['a running Job without a timeout may run for ever', aRunningJob({ startedAt: noon - hours(1000) }), undefined],
    ['a running Job with a timeout has until then', aRunningJob({ upkeep: withTimeout(minutes(1)) }), noon - seconds(4) + minutes(1)],
    ['a Job whose pod was drained with its node has started all the same', aJob({ startedAt: noon - hours(2), ranAt: noon - hours(2) }), undefined],
    ['also while the pod that follows does not run yet', aStartingJob({ startedAt: noon - hours(2), ranAt: noon - hours(2) }), undefined],
    ['a pod that came after startTimeout replaces one that ran', aStartingJob({ startedAt: noon - hours(2) }), undefined],
    ['a Job that has a ready pod has started, though its pods are not seen yet', aJob({ startedAt: noon - hours(2), readyPods: 1 }), undefined],
    ['a timeout goes on when its pod was drained', aJob({ ranAt: noon - seconds(30), upkeep: withTimeout(minutes(1)) }), noon + seconds(30)],
    ['startTimeout means nothing to a Job that has started', aRunningJob({ startedAt: noon - hours(2) }), undefined],
    ['a Job suspended by Kueue never counts as not started', aSuspendedJob({ createdAt: noon - hours(100) }), undefined],
    ['a Job that Kueue has just resumed starts now, however old it is', aJob({ createdAt: noon - hours(100), startedAt: undefined }), undefined],
    ['a Job that was given up on is not given up on again', aJob({ startedAt: noon - hours(1), recorded: endingNote('notStarted') }), undefined],
    ['a finished Job needs no patience', aJob({ startedAt: noon - hours(1), finished: complete() }), undefined],
    ['a Job with a verdict and a living pod needs no patience', aRunningJob({ startedAt: noon - hours(1), finished: complete(), upkeep: withTimeout(1) }), undefined],
    ['a Job that is being deleted needs no patience', aJob({ startedAt: noon - hours(1), deleting: true }), undefined],
  ] as const)('%s', (_sentence, job, until) => {
    expect(patience(job, none, noon)).toEqual({ until });
  });
});

describe('why a Job has not started', () => {
  const unscheduled = { reason: 'Unschedulable', message: '0/3 nodes' };
  it.each([
    ['nothing is known', aStartingJob(), {}, undefined],
    ['a waiting container comes first', aJob({ pods: [aPod({ waiting: waitingFor('ErrImagePull', noon, 'no such tag'), unscheduled })] }), {}, 'pod pod-a, container "main": ErrImagePull: no such tag'],
    ['an unscheduled pod says so', aJob({ pods: [aPod({ unscheduled })] }), {}, 'pod pod-a: Unschedulable: 0/3 nodes'],
    ['the Events of a mute pod are told', aStartingJob(), { 'uid-pod-a': 'FailedMount: secret "x" not found' }, 'pod pod-a: FailedMount: secret "x" not found'],
    ['the second pod speaks where the first is mute', aJob({ pods: [aPod(), aPod({ name: 'pod-b', unscheduled })] }), {}, 'pod pod-b: Unschedulable: 0/3 nodes'],
    ['the Events of a Job without a pod are told', aJob(), { 'uid-thumbnails-1': 'FailedCreate: forbidden' }, 'FailedCreate: forbidden'],
  ] as const)('%s', (_sentence, job, events, why) => {
    expect(whyNotStarted(job, new Map(Object.entries(events)))).toBe(why);
  });
});

it('the earliest of several times ignores those that are not set', () => {
  expect(earliest([])).toBeUndefined();
  expect(earliest([undefined])).toBeUndefined();
  expect(earliest([3, undefined, -1])).toBe(-1);
});

describe('what others count is left to them', () => {
  it('a container that ran and crashed is counted by backoffLimit', () => {
    expect(patience(aJob({ startedAt: noon - minutes(2), pods: [aPod({ waiting: waitingFor('CrashLoopBackOff', noon - minutes(1)) })] }), none, noon)).toEqual({ until: noon + minutes(13) });
  });

  it('a Job that was suspended in the moment of its end is ended once more, without pods, and then left alone', () => {
    const job = aJob({ recorded: endingNote('failed'), suspended: true, parallelism: 2 });
    expect(patience(job, none, noon)).toEqual({ giveUp: { reason: 'JobEnding', outcome: endingNote('failed') } });
    expect(patience({ ...job, parallelism: 0 }, none, noon)).toEqual({ until: undefined });
  });
});
