import { describe, expect, it } from 'vitest';
import type { ObservedJob } from '../../../../src/plan/observed.ts';
import { aPod, aRunningPod, minutes, noon, seconds } from '../../../support/builders.ts';
import { aLease, aMessageJob, aMessageQueueSpec, freeOf, observedMessages, startsOf } from '../../../support/message-builders.ts';
import { planAt, standing } from '../../../support/planning.ts';

const spec = aMessageQueueSpec({ concurrency: { max: 1000 } });
const many = (count: number, make: (id: string) => ObservedJob): ObservedJob[] => Array.from({ length: count }, (_, index) => make(`${make.name}-${index}`));
const at = (ago: number) => ({ createdAt: noon - ago, startedAt: noon - ago });
const noNode = { reason: 'Unschedulable', message: '0/3 nodes are available: 3 Insufficient cpu.' };
const pending = (ago: number) => function pending(id: string) { return aMessageJob(id, { ...at(ago), pods: [aPod({ name: `pod-${id}`, createdAt: noon - ago, unscheduled: noNode })] }); };
const podless = (ago: number) => function podless(id: string) { return aMessageJob(id, at(ago)); };
const untaken = (ago: number) => function podless(id: string) { return aMessageJob(id, { ...at(ago), startedAt: undefined }); };
const suspended = (ago: number) => function suspended(id: string) { return aMessageJob(id, { ...at(ago), suspended: true, kueue: true, startedAt: undefined }); };
const heldBack = (ago: number) => function suspended(id: string) { return aMessageJob(id, { ...at(ago), suspended: true, startedAt: undefined }); };
function running(id: string) { return aMessageJob(id, { pods: [aRunningPod()] }); }
function pulling(id: string) { return aMessageJob(id, { pods: [aPod({ node: 'node-1' })] }); }

const inHand = Array.from({ length: 300 }, (_, index) => aLease(`m${index}`));
const leases = [...inHand, ...['pending', 'podless', 'suspended', 'running', 'pulling'].flatMap((kind) => Array.from({ length: 50 }, (_, index) => aLease(`${kind}-${index}`)))];
const seen = (...jobs: readonly ObservedJob[]) => observedMessages(spec, { leases, posted: new Set(jobs.map(({ uid }) => uid)) }, { jobs });
const startsWith = (...jobs: readonly ObservedJob[]): number => startsOf(planAt(seen(...jobs))).filter(({ id }) => id.startsWith('m')).length;
const leasesWith = (...jobs: readonly ObservedJob[]) => freeOf(planAt(observedMessages(spec, {}, { jobs: jobs.map((job) => ({ ...job, message: job.message && { ...job.message, note: { ...job.message.note, bare: true as const } } })) })));

describe('Jobs that wait for a place in the cluster', () => {
  it.each<[string, readonly ObservedJob[], number, number | undefined]>([
    ['of which nobody knows yet are as many as concurrency.max allows', many(30, podless(1000)), 300, 970],
    ['and have been refused one for less than five seconds count as those', many(30, pending(seconds(4))), 300, 970],
    ['and to which the Job controller has not come say nothing', many(30, untaken(seconds(60))), 300, 970],
    ['for five seconds let nothing more start', many(3, pending(seconds(5))), 0, 0],
    ['and have no pod for ten seconds let nothing more start', many(3, podless(seconds(10))), 0, 0],
    ['and are not admitted for five seconds let nothing more start', many(3, suspended(seconds(5))), 0, 0],
    ['and that a person has suspended say nothing', many(3, heldBack(seconds(60))), 300, 997],
    ['are as many as have one, and no more', [...many(3, pending(seconds(9))), ...many(8, running)], 5, 5],
    ['may be pulling their image on it', [...many(3, pending(seconds(9))), ...many(8, pulling)], 5, 5],
    ['double with each that gets one', [...many(1, pending(seconds(9))), ...many(2, running)], 1, 1],
    ['are one, where none has one', many(1, pending(seconds(9))), 0, 0],
    ['are left alone where they are more', [...many(9, pending(seconds(9))), ...many(4, running)], 0, 0],
  ])('%s', (_sentence, jobs, starts, free) => {
    expect([startsWith(...jobs), leasesWith(...jobs)]).toEqual([starts, free]);
  });

  it('leave one of an edited text a try, since the edit may be the mend', () => {
    const older = many(3, suspended(minutes(60))).map((job) => ({ ...job, specHash: 'hash-of-before' }));
    expect([startsWith(...older), leasesWith(...older)]).toEqual([1, 1]);
    expect([startsWith(...older, ...many(1, podless(1000))), leasesWith(...older, ...many(1, podless(1000)))]).toEqual([0, 0]);
    expect(startsWith(...older, ...many(4, running))).toBe(4);
  });

  it('count with creates that are not in view yet', () => {
    const jobs = [...many(2, pending(seconds(9))), ...many(5, running)];
    const plan = planAt(observedMessages(spec, { leases: [...jobs.flatMap(({ message }) => (message ? [aLease(message.note.id)] : [])), ...inHand], posted: new Set(jobs.map(({ uid }) => uid)), underWay: new Set(['m0', 'm1']) }, { jobs }));
    expect(startsOf(plan)).toHaveLength(1);
  });

  it('are looked at again when their time is over', () => {
    expect(planAt(seen(...many(1, pending(seconds(2))))).wakeAt).toBe(noon + seconds(3));
    expect(planAt(seen(...many(1, podless(seconds(2))))).wakeAt).toBe(noon + seconds(8));
  });

  it.each<[string, readonly ObservedJob[], string, string]>([
    ['the scheduler', many(1, pending(seconds(9))), 'Unschedulable', 'no more Jobs are started until one has a node: Job "orders-pending-0-1" has none: pod pod-pending-0: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.'],
    ['the quota', many(1, podless(seconds(10))), 'NoPodCreated', 'no more Jobs are started until one has a pod: Job "orders-podless-0-1" has none: exceeded quota: pods'],
    ['whoever admits them', many(1, suspended(seconds(9))), 'JobSuspended', 'no more Jobs are started until one is admitted: Job "orders-suspended-0-1" is suspended'],
  ])('are what the queue stands at, with the word of %s', (_sentence, jobs, reason, message) => {
    const view = { ...seen(...jobs), explanations: new Map([['uid-orders-podless-0-1', 'exceeded quota: pods']]) };
    expect(standing(view)).toEqual({ state: 'Waiting', reason, message });
  });

  it('are no matter while more may start', () => {
    expect(standing(seen(...many(1, pending(seconds(9))), ...many(5, running))).reason).toBe('MessagesRunning');
  });
});
