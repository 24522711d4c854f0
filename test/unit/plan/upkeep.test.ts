import { describe, expect, it } from 'vitest';
import type { Observed, ObservedJob } from '../../../src/plan/observed.ts';
import { aBrokenClaim, aClaim, aConfigMap, aFailedPod, aFile, aJob, anEndedJob, aPod, aQueueSpec, aRunningJob, aRunningPod, aStartingJob, aSuspendedJob, complete, endingNote, failed, finalNote, hours, minutes, noon, observed, observedOf, seconds, usualUpkeep } from '../../support/builders.ts';
import { acts, planAt } from '../../support/planning.ts';

const suspended = aQueueSpec({ suspend: true });
/** Whatever has become of the spec, Jobs are looked after. */
const specs: readonly (readonly [string, Partial<Observed>])[] = [
  ['a good spec', {}],
  ['a suspended spec', { claims: [aClaim(suspended)] }],
  ['a broken spec', { claims: [aBrokenClaim()] }],
  ['no spec', { claims: [] }],
  ['a spec that is being deleted', { claims: [aClaim(aQueueSpec(), aConfigMap({ deleting: true }))] }],
];

describe.each(specs)('with %s', (_sentence, spec) => {
  it('a Job that does not start is ended', () => {
    const plan = planAt(observed({ ...spec, jobs: [aStartingJob({ startedAt: noon - minutes(15) })] }));
    expect(acts(plan)).toEqual(['end StartTimeout thumbnails-1']);
    expect(plan.actions[0]).toEqual({
      kind: 'end',
      reason: 'StartTimeout',
      because: 'no container started within 900 s',
      ifUnchanged: true,
      job: { name: 'thumbnails-1', uid: 'uid-thumbnails-1', resourceVersion: '100' },
      suspended: false,
      outcome: endingNote('notStarted'),
    });
  });

  it('a Job that runs too long is ended by the timeout it was made with', () => {
    const job = aRunningJob({ upkeep: { ...usualUpkeep, timeout: seconds(4) } });
    expect(acts(planAt(observed({ ...spec, jobs: [job] })))).toEqual(['end Timeout thumbnails-1']);
  });

  it('the outcome of a finished Job is written down', () => {
    const plan = planAt(observed({ ...spec, jobs: [aJob({ finished: complete(noon - seconds(1)), startedAt: noon - seconds(61) })] }));
    expect(plan.actions).toEqual([
      { kind: 'mark', reason: 'JobSucceeded', because: 'Completed', job: { name: 'thumbnails-1', uid: 'uid-thumbnails-1', resourceVersion: '100' }, outcome: finalNote('succeeded'), ran: seconds(60) },
    ]);
  });

  it('finished Jobs are pruned', () => {
    const jobs = [1, 2, 3, 4].map((sequence) => anEndedJob('succeeded', { sequence, at: noon - hours(9 - sequence) }));
    expect(acts(planAt(observed({ ...spec, jobs })))).toEqual(['delete RetentionExceeded thumbnails-1']);
  });
});

describe('outcomes', () => {
  it.each([
    ['a failed Job', aJob({ finished: failed(), pods: [aFailedPod(3)] }), 'JobFailed', 'container "main" exited with 3'],
    ['an evicted Job', aJob({ finished: failed(), pods: [aPod({ phase: 'Failed', disrupted: true, reason: 'Evicted' })] }), 'JobErrored', 'pod pod-a was evicted'],
    ['a Job that did not start', aJob({ finished: failed(), recorded: endingNote('notStarted') }), 'JobNotStarted', 'no container started within 900 s'],
    ['a Job that somebody noted as refused', aJob({ finished: failed(), recorded: endingNote('refused', { message: '' }) }), 'CreateRefused', 'StartTimeout'],
  ])('%s is marked so', (_sentence, job, reason, because) => {
    expect(planAt(observed({ jobs: [job] })).actions).toMatchObject([{ kind: 'mark', reason, because }]);
  });

  it.each([
    ['one that is marked', anEndedJob('failed')],
    ['one that is being deleted', aJob({ finished: failed(), deleting: true })],
    ['one that lives', aRunningJob()],
  ])('nothing is written on %s', (_sentence, job) => {
    expect(acts(planAt(observed({ jobs: [job] })))).toEqual([]);
  });

  it('a failed Job is judged only when its pods have come to their end: until then they cannot tell why', () => {
    expect(acts(planAt(observed({ jobs: [aRunningJob({ finished: failed() })] })))).toEqual([]);
    expect(acts(planAt(observed({ jobs: [aJob({ finished: failed(), pods: [aPod({ phase: 'Failed', disrupted: true })] })] })))).toEqual(['mark JobErrored thumbnails-1']);
  });

  it.each([
    ['completed', aRunningJob({ finished: complete() }), 'mark JobSucceeded thumbnails-1'],
    ['was given up on', aRunningJob({ finished: failed(), recorded: endingNote('failed') }), 'mark JobFailed thumbnails-1'],
  ])('a Job that %s needs no pods to be judged', (_sentence, job, mark) => {
    expect(acts(planAt(observed({ jobs: [job] })))).toEqual([mark]);
  });

  it('how long a Job ran is not known when nobody saw it start', () => {
    expect(planAt(observed({ jobs: [aJob({ finished: complete(), startedAt: undefined })] })).actions).toMatchObject([{ kind: 'mark', ran: undefined }]);
  });
});

describe('ownership', () => {
  const old = aClaim(aQueueSpec(), aConfigMap());
  const newer = { uid: 'cm-2', name: 'thumbnails-b', createdAt: noon };
  const moved = observed({ claims: [old, aClaim(aQueueSpec(), aConfigMap(newer))] });
  it.each([
    ['a running Job', aRunningJob()],
    ['a suspended Job', aSuspendedJob()],
    ['a finished Job', anEndedJob('succeeded')],
  ])('%s follows the ConfigMap that defines the queue now', (_sentence, job) => {
    expect(planAt({ ...moved, jobs: [job] }).actions[0]).toMatchObject({ kind: 'reown', reason: 'OwnerChanged', owner: { name: 'thumbnails-b', uid: 'cm-2' } });
  });

  it.each([
    ['a Job that is owned already', aRunningJob({ ownerUid: 'cm-2' })],
    ['a Job that may finish without its spec', aRunningJob({ onSpecDelete: 'finish', ownerUid: undefined })],
    ['a Job that is being deleted', aRunningJob({ deleting: true })],
    ['a Job whose owner is not known here, and may be newer than what is', aRunningJob({ ownerUid: 'cm-3' })],
    ['a Job that somebody orphaned', aRunningJob({ ownerUid: undefined })],
    ['a Job of a file', aRunningJob({ ownerUid: undefined, specSource: 'file' })],
  ])('%s stays as it is', (_sentence, job) => {
    expect(acts(planAt({ ...moved, jobs: [job] }))).toEqual([]);
  });

  it('comes before everything else, also when the new text is broken', () => {
    const plan = planAt(observed({ claims: [old, aBrokenClaim(aConfigMap(newer))], jobs: [aJob({ startedAt: noon - hours(1) })] }));
    expect(acts(plan)).toEqual(['reown OwnerChanged thumbnails-1', 'end StartTimeout thumbnails-1']);
  });

  it('a file owns nothing', () => {
    expect(acts(planAt(observed({ claims: [aClaim(aQueueSpec(), aFile())], jobs: [aRunningJob()] })))).toEqual([]);
  });
});

describe('after the deletion of a spec', () => {
  it('a Job of a file runs on while some file cannot be read: it may be its spec', () => {
    expect(acts(planAt({ ...observed({ claims: [], jobs: [aRunningJob({ specSource: 'file', ownerUid: undefined })] }), unread: true }))).toEqual([]);
  });

  const ofFile = (changes: Partial<ObservedJob> = {}): ObservedJob => aRunningJob({ specSource: 'file', ownerUid: undefined, ...changes });
  const gone = (job: ObservedJob): Observed => observed({ claims: [], jobs: [job] });

  it.each([
    ['running', ofFile()],
    ['suspended', ofFile({ suspended: true, startedAt: undefined, pods: [] })],
    ['starting', ofFile({ pods: [aPod()] })],
    ['podless', ofFile({ pods: [] })],
  ])('a %s Job of a file is ended', (_sentence, job) => {
    expect(acts(planAt(gone(job)))).toEqual(['end SpecDeleted thumbnails-1']);
  });

  it.each([
    ['a Job of a ConfigMap: the garbage collector takes it', aRunningJob()],
    ['a Job that may finish', ofFile({ onSpecDelete: 'finish' })],
    ['a Job that is being ended', ofFile({ recorded: endingNote('failed') })],
    ['a Job with a verdict', ofFile({ finished: complete(), recorded: finalNote('succeeded') })],
    ['a Job that is being deleted', ofFile({ deleting: true })],
  ])('nothing is done to %s', (_sentence, job) => {
    expect(acts(planAt(gone(job)))).toEqual([]);
  });

  it('a Job is ended once, whatever the reasons', () => {
    expect(acts(planAt(gone(ofFile({ pods: [aPod()], startedAt: noon - hours(1) }))))).toHaveLength(1);
  });

  it('a file that is broken is not gone', () => {
    expect(acts(planAt(observed({ claims: [aBrokenClaim(aFile())], jobs: [ofFile()] })))).toEqual([]);
  });

  it('what the newest Job was made with decides what stays', () => {
    const jobs = [1, 2, 3].map((sequence) => anEndedJob('succeeded', { sequence, at: noon - hours(9 - sequence), upkeep: { ...usualUpkeep, succeeded: { count: sequence === 3 ? 1 : 9 } } }));
    expect(acts(planAt(observed({ claims: [], jobs })))).toEqual(['delete RetentionExceeded thumbnails-2', 'delete RetentionExceeded thumbnails-1']);
  });

  it('Jobs without any note are kept as the defaults say', () => {
    const made = (outcome: 'succeeded' | 'failed', count: number): ObservedJob[] =>
      Array.from({ length: count }, (_, index) => anEndedJob(outcome, { name: `${outcome}-${index + 1}`, sequence: index + 1, at: noon - hours(20 - index), upkeep: undefined }));
    expect(acts(planAt(observed({ claims: [], jobs: [...made('succeeded', 4), ...made('failed', 11)] })))).toEqual(['delete RetentionExceeded succeeded-1', 'delete RetentionExceeded failed-1']);
    const old = anEndedJob('failed', { at: noon - hours(24 * 7), upkeep: undefined });
    expect(acts(planAt(observed({ claims: [], jobs: [old] })))).toEqual(['delete RetentionExceeded thumbnails-1']);
  });
});

describe('Jobs that do not say why they do not start', () => {
  const asked = (job: ObservedJob, now = noon): unknown => planAt(observed({ jobs: [job] }), now).demands.filter((demand) => demand.kind === 'explanation');
  const job = { kind: 'Job', name: 'thumbnails-1', uid: 'uid-thumbnails-1' };

  it.each([
    ['a Job without a pod after 10 s is asked about', aJob({ startedAt: noon - seconds(10) }), [{ kind: 'explanation', objects: [job] }]],
    ['not sooner', aJob({ startedAt: noon - seconds(10) + 1 }), []],
    ['a mute pod after 10 s is asked about', aStartingJob({ startedAt: noon - seconds(10) }), [{ kind: 'explanation', objects: [{ kind: 'Pod', name: 'pod-a', uid: 'uid-pod-a' }] }]],
    ['a pod that tells its story is not', aStartingJob({ startedAt: noon - seconds(10), pods: [aPod({ unscheduled: { reason: 'Unschedulable', message: '' } })] }), []],
    ['a Job that is not taken up yet is asked about by its age', aJob({ startedAt: undefined, createdAt: noon - seconds(10) }), [{ kind: 'explanation', objects: [job] }]],
    ['a running Job is not', aRunningJob({ startedAt: noon - hours(1) }), []],
    ['a suspended Job is not', aSuspendedJob({ createdAt: noon - hours(1) }), []],
  ] as const)('%s', (_sentence, of, demands) => {
    expect(asked(of)).toEqual(demands);
  });

  it('of many mute pods three are asked about', () => {
    const pods = ['a', 'b', 'c', 'd'].map((name) => aPod({ name }));
    expect(asked(aStartingJob({ startedAt: noon - seconds(10), pods }))).toMatchObject([{ objects: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }]);
  });

  it('the plan wakes when it is time to ask, and again while the Job stays mute', () => {
    const view = observed({ jobs: [aJob({ startedAt: noon - seconds(4) })] });
    expect(planAt(view).wakeAt).toBe(noon + seconds(6));
    expect(planAt(view, noon + seconds(6)).wakeAt).toBe(noon + seconds(36));
  });
});

it('a running Job with a pod that started is left in peace: nothing to do, nothing to ask, nothing to wait for', () => {
  expect(planAt(observedOf(aQueueSpec(), { jobs: [aRunningJob({ pods: [aRunningPod()] })] }))).toMatchObject({ actions: [], demands: [], wakeAt: undefined });
});
