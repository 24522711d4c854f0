import { describe, expect, it } from 'vitest';
import type { Observed } from '../../../src/plan/observed.ts';
import { aBrokenClaim, aClaim, aConfigMap, aFile, aJob, anEndedJob, aPod, aQueueSpec, aRefusal, aReservation, aRunningJob, hours, minutes, noon, observed, observedOf, ready, seconds, unreachable, verdict } from '../../support/builders.ts';
import { acts, planAt, standing } from '../../support/planning.ts';

const streak = (outcome: 'failed' | 'notStarted' | 'succeeded', count: number): Pick<Observed, 'jobs' | 'depth'> => ({
  jobs: Array.from({ length: count }, (_, index) => anEndedJob(outcome, { sequence: index + 1, at: noon - minutes(count - index - 1) })),
  depth: ready(5, `after Job thumbnails-${count}`),
});
const at = (time: number): string => new Date(time).toISOString();

describe('the first thing that keeps the next Job from starting is what a queue stands at', () => {
  it.each([
    ['an answer that got lost is looked up before anything else', { reservations: [aReservation('unknown')], jobs: [aRunningJob()] }, 'Starting', 'AnswerUnknown', 'looking up whether Job "thumbnails-2" was created'],
    ['a round that died while it created is looked up as well', { reservations: [aReservation('pending')] }, 'Starting', 'AnswerUnknown', 'looking up whether Job "thumbnails-2" was created'],
    ['a Job that the cache does not show yet', { reservations: [aReservation('created')] }, 'Starting', 'JobCreated', 'Job "thumbnails-2" was created'],
    ['a living Job comes before a wait', { ...streak('failed', 1), jobs: [...streak('failed', 1).jobs, aRunningJob({ sequence: 2 })] }, 'Running', 'JobRunning', 'Job "thumbnails-2" is running'],
    ['a pod whose Job is gone counts as live', { orphans: [aPod({ node: 'node-1' })] }, 'Ending', 'PodsRemain', 'pod "pod-a" of a deleted Job still lives on node "node-1"'],
    ['also one that no node took', { orphans: [aPod()] }, 'Ending', 'PodsRemain', 'pod "pod-a" of a deleted Job still lives'],
    ['suspend comes before a wait', { ...streak('failed', 1), claims: [aClaim(aQueueSpec({ suspend: true }))] }, 'Suspended', 'SpecSuspended', 'suspend is true: no Jobs are started'],
    ['a wait after a failure', streak('failed', 1), 'Waiting', 'WaitAfterFailed', `the last Job failed; the queue is looked at again at ${at(noon + seconds(30))}`],
    ['a wait after several', streak('failed', 2), 'Waiting', 'WaitAfterFailed', `2 Jobs in a row failed; the queue is looked at again at ${at(noon + minutes(1))}`],
    ['a wait after a Job that did not start', streak('notStarted', 1), 'Waiting', 'WaitAfterNotStarted', `the last Job did not start; the queue is looked at again at ${at(noon + minutes(2))}`],
    ['a wait after success', { ...streak('succeeded', 1), claims: [aClaim(aQueueSpec({ drain: { waitAfter: { succeeded: seconds(5) } } }))] }, 'Waiting', 'WaitAfterSucceeded', `the last Job succeeded; the queue is looked at again at ${at(noon + seconds(5))}`],
    ['a wait after a Job that was noted as refused', { jobs: [anEndedJob('refused', { at: noon })] }, 'Waiting', 'WaitAfterRefused', `the last Job was refused; the queue is looked at again at ${at(noon + seconds(30))}`],
    ['an open breaker', streak('notStarted', 5), 'Blocked', 'BreakerOpen', `5 Jobs in a row did not start; the next probe starts at ${at(noon + minutes(5))}`],
    ['a full quota', { refusal: aRefusal('quota'), depth: ready(5) }, 'Blocked', 'QuotaExceeded', 'exceeded quota: jobs'],
    ['a missing right', { refusal: aRefusal('forbidden'), depth: ready(5) }, 'Blocked', 'Forbidden', 'exceeded quota: jobs'],
    ['a policy that says no', { refusal: aRefusal('refused'), depth: ready(5) }, 'Blocked', 'CreateRefused', 'exceeded quota: jobs'],
    ['an unchecked template', { verdict: undefined }, 'Checking', 'SpecChecking', 'the API server is asked whether it would take the Job'],
    ['an unreachable queue', { depth: unreachable() }, 'Blocked', 'QueueUnreachable', 'connection refused'],
  ] as const)('%s', (_sentence, changes, state, reason, message) => {
    const view = observed({ depth: ready(5), ...changes });
    expect(standing(view)).toEqual({ state, reason, message });
    expect(acts(planAt(view)).filter((act) => act.startsWith('create'))).toEqual([]);
  });

  it('an answer that got lost is looked up in the cluster', () => {
    expect(acts(planAt(observed({ reservations: [aReservation('unknown')] })))).toEqual(['resolve AnswerUnknown thumbnails-2']);
  });

  it.each([
    ['whose spec is gone', { claims: [] }],
    ['whose spec is broken', { claims: [aBrokenClaim()] }],
  ])('it is looked up also for a queue %s', (_sentence, changes) => {
    expect(acts(planAt(observed({ ...changes, reservations: [aReservation('unknown')] })))).toEqual(['resolve AnswerUnknown thumbnails-2']);
  });

  it('nothing is looked up about a Job that was certainly created', () => {
    expect(acts(planAt(observed({ reservations: [aReservation('created')] })))).toEqual([]);
  });
});

describe('waits', () => {
  it('the next Job starts when the wait is over, not a millisecond sooner', () => {
    const view = observed(streak('failed', 1));
    expect(planAt(view).wakeAt).toBe(noon + seconds(30));
    expect(acts(planAt(view, noon + seconds(30) - 1))).toEqual([]);
    expect(acts(planAt(view, noon + seconds(30)))).toEqual(['create QueueReady']);
  });

  it('while a wait runs the queue is left alone', () => {
    expect(planAt(observed(streak('failed', 1))).demands).toEqual([]);
  });

  it('an edited spec waits for nothing: the edit may be the mend', () => {
    const view = observedOf(aQueueSpec({ hash: 'hash-2' }), streak('notStarted', 5));
    expect(acts(planAt(view))).toEqual(['create QueueReady']);
  });

  it('an open breaker lets one Job try, then waits again', () => {
    const view = observed(streak('notStarted', 5));
    const probing = planAt(view, noon + minutes(5));
    expect(acts(probing)).toEqual(['create QueueReady']);
    const failedAgain = { ...streak('notStarted', 6) };
    expect(standing(observed(failedAgain)).reason).toBe('BreakerOpen');
  });
});

describe('a refused create', () => {
  const refused = (changes: Partial<Parameters<typeof aRefusal>[1]> = {}): Observed => observed({ refusal: aRefusal('quota', changes), depth: ready(5) });

  it('is tried again after its wait', () => {
    expect(planAt(refused()).wakeAt).toBe(noon + seconds(30));
    expect(acts(planAt(refused(), noon + seconds(30)))).toEqual(['create QueueReady']);
  });

  it('waits longer each time', () => {
    expect(planAt(refused({ count: 3 })).wakeAt).toBe(noon + minutes(2));
  });

  it('is what the queue stands at until a create is accepted', () => {
    expect(standing(refused(), noon + seconds(30))).toMatchObject({ state: 'Blocked', reason: 'QuotaExceeded' });
    expect(standing({ ...refused(), depth: undefined }, noon + seconds(30))).toMatchObject({ state: 'Blocked', reason: 'QuotaExceeded' });
  });

  it('matters no more when nothing waits, or when something else is in the way', () => {
    expect(standing({ ...refused(), depth: ready(0) }, noon + seconds(30)).reason).toBe('QueueEmpty');
    expect(standing({ ...refused(), depth: unreachable() }, noon + seconds(30)).reason).toBe('QueueUnreachable');
    expect(standing({ ...refused(), verdict: verdict('refused') }, noon + seconds(30)).reason).toBe('TemplateRefused');
  });

  it('of an older revision is forgotten', () => {
    expect(acts(planAt(refused({ hash: 'hash-0' })))).toEqual(['create QueueReady']);
  });
});

describe('Jobs that somebody deletes before their end', () => {
  const vanished = (count: number): Observed => observed({ vanished: { at: noon, count }, depth: ready(5) });
  it.each([
    ['one: a second', 1, seconds(1), 'a Job was deleted before they had finished'],
    ['four: eight seconds', 4, seconds(8), '4 Jobs in a row were deleted before they had finished'],
    ['many: a minute', 99, minutes(1), '99 Jobs in a row were deleted before they had finished'],
  ])('are replaced after a wait that grows, %s', (_sentence, count, wait, message) => {
    expect(standing(vanished(count))).toEqual({ state: 'Waiting', reason: 'JobDeleted', message: `${message}; the queue is looked at again at ${at(noon + wait)}` });
    expect(planAt(vanished(count)).wakeAt).toBe(noon + wait);
    expect(acts(planAt(vanished(count), noon + wait - 1))).toEqual([]);
    expect(acts(planAt(vanished(count), noon + wait))).toEqual(['create QueueReady']);
  });
});

describe('claims', () => {
  const old = aClaim(aQueueSpec({ hash: 'hash-old' }), aConfigMap({ name: 'old', uid: 'cm-old', createdAt: noon - minutes(9) }));
  const young = aClaim(aQueueSpec({ hash: 'hash-young' }), aConfigMap({ name: 'young', uid: 'cm-young', createdAt: noon }));

  it('the newest defines the queue, the others are told so', () => {
    const { statuses } = planAt(observed({ claims: [old, young], jobs: [aRunningJob({ ownerUid: 'cm-young', specHash: 'hash-young' })] }));
    expect(statuses.map(({ claim, status }) => [claim, status.state, status.reason, status.message, status.liveJobs])).toEqual([
      [1, 'Running', 'JobRunning', 'Job "thumbnails-1" is running', 1],
      [0, 'Superseded', 'SpecSuperseded', '"young" also defines queue "thumbnails" and is newer', 0],
    ]);
  });

  it('a broken winner starts nothing, and no older text stands in for it', () => {
    const broken = aBrokenClaim(aConfigMap({ name: 'broken', createdAt: noon + seconds(1) }));
    const view = observed({ claims: [old, young, broken], verdict: undefined, depth: ready(5) });
    expect(standing(view)).toMatchObject({ state: 'Rejected', reason: 'SpecRejected' });
    expect(acts(planAt(view))).toEqual([]);
    expect(planAt(view).demands).toEqual([]);
  });

  it('a broken spec leaves its running Job alone', () => {
    expect(acts(planAt(observed({ claims: [aBrokenClaim()], jobs: [aRunningJob()] })))).toEqual([]);
  });

  it('a claim that is being deleted is told nothing', () => {
    const { statuses } = planAt(observed({ claims: [aClaim(aQueueSpec(), aConfigMap({ deleting: true })), young] }));
    expect(statuses.map(({ claim }) => claim)).toEqual([1]);
  });

  it('a file can win too', () => {
    const file = aClaim(aQueueSpec(), aFile({ createdAt: noon + seconds(5) }));
    expect(planAt(observed({ claims: [young, file] })).statuses.map(({ claim, status }) => [claim, status.state])).toEqual([
      [1, 'Checking'],
      [0, 'Superseded'],
    ]);
  });

  it('without a claim nothing is asked, started or reported', () => {
    expect(planAt(observed({ claims: [], depth: ready(5) }))).toEqual({ actions: [], demands: [], statuses: [], wants: 0, wakeAt: undefined });
  });
});

it('actions come in the order owner, end, mark, start, prune', () => {
  const jobs = [
    aJob({ name: 'stuck', sequence: 9, startedAt: noon - minutes(15), ownerUid: 'cm-0' }),
    aJob({ name: 'done', sequence: 8, finished: { condition: 'Complete', reason: '', message: '', at: noon } }),
    ...[1, 2, 3, 4, 5].map((sequence) => anEndedJob('succeeded', { sequence, at: noon - minutes(60 - sequence) })),
  ];
  const old = aClaim(aQueueSpec(), aConfigMap({ uid: 'cm-0', name: 'thumbnails-a', createdAt: noon - hours(2) }));
  expect(acts(planAt(observed({ claims: [old, aClaim()], jobs })))).toEqual([
    'reown OwnerChanged stuck',
    'end StartTimeout stuck',
    'mark JobSucceeded done',
    'delete RetentionExceeded thumbnails-2',
    'delete RetentionExceeded thumbnails-1',
  ]);
});
