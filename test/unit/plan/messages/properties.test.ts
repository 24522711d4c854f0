/** What holds for every view of a queue whose messages are leased, however odd. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLive, jobState } from '../../../../src/plan/job-state.ts';
import { unlimited } from '../../../../src/plan/limits/room.ts';
import { messageJobName } from '../../../../src/plan/messages/message-job.ts';
import type { SettledNote } from '../../../../src/plan/messages/message.ts';
import type { LeaseInHand } from '../../../../src/plan/messages/observed.ts';
import { isStored } from '../../../../src/plan/messages/stored.ts';
import { isMessageJob } from '../../../../src/plan/messages/view.ts';
import type { Outcome } from '../../../../src/plan/notes.ts';
import type { Observed, ObservedJob } from '../../../../src/plan/observed.ts';
import { dedupeWindow } from '../../../../src/plan/retention.ts';
import { sourceText } from '../../../../src/spec/queue-source.ts';
import { anEnvironment, aPod, aRefusal, aRunningPod, complete, endingNote, failed, finalNote, hours, minutes, noon, passed, seconds, thumbnails, verdict } from '../../../support/builders.ts';
import { runs } from '../../../support/effort.ts';
import { aLease, aMessage, aMessageJob, aMessageQueueSpec, aMessagesView, anOpenSource, freeOf, observedMessages, orders, settlementsOf, startsOf } from '../../../support/message-builders.ts';
import { planAt } from '../../../support/planning.ts';

const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
const anId = fc.constantFrom(...ids);
const outcome = fc.constantFrom<Outcome>('succeeded', 'succeeded', 'failed', 'failed', 'errored', 'notStarted');
const ago = fc.constantFrom(0, seconds(1), minutes(3), minutes(9), minutes(11), hours(25));
const settledNote: fc.Arbitrary<SettledNote | undefined> = fc.option(fc.record({ as: fc.constantFrom('completed', 'taken', 'returned', 'dead', 'kept', 'presumed'), at: ago.map((time) => noon - time) }), { nil: undefined });

const jobChanges: fc.Arbitrary<Partial<ObservedJob>> = fc.oneof(
  fc.constantFrom<Partial<ObservedJob>>({}, { pods: [aPod()] }, { pods: [aRunningPod()] }, { suspended: true, startedAt: undefined }, { recorded: endingNote('notStarted') }, { deleting: true }, { finished: failed(), pods: [aRunningPod()] }, { finished: complete() }),
  fc.tuple(outcome, ago, fc.boolean()).map(([how, time, deleting]): Partial<ObservedJob> => ({ finished: how === 'succeeded' ? complete(noon - time) : failed(noon - time), recorded: finalNote(how), createdAt: noon - time - minutes(1), deleting })),
);

const aJobOf = fc.record({ id: anId, serial: fc.integer({ min: 1, max: 3 }), changes: jobChanges, settled: settledNote, hash: fc.constantFrom('hash-1', 'hash-0'), settle: fc.constantFrom('onCompletion' as const, 'onJobCreated' as const), receipt: fc.boolean(), tries: fc.integer({ min: 1, max: 3 }), leasedAgo: fc.constantFrom(0, 1, 2), dead: fc.boolean() });
const aLeaseOf = fc.record({ id: anId, since: fc.constantFrom(0, 1, 2), bare: rarely(), receipt: fc.boolean(), delivery: fc.option(fc.constantFrom(1, 2), { nil: undefined }), bad: rarely() });

const spec = fc
  .record({ max: fc.constantFrom(1, 3, 8), suspend: rarely(), observe: rarely(), replace: fc.boolean(), settle: fc.constantFrom('onCompletion' as const, 'onJobCreated' as const), schema: fc.boolean() })
  .map(({ max, suspend, observe, replace, settle, schema }) => aMessageQueueSpec({ concurrency: { max }, suspend, observe, onSpecChange: replace ? 'replace' : 'keep', breaker: { notStarted: 2, failed: 2 }, retention: { succeeded: { count: 0, age: undefined }, failed: { count: 0, age: undefined } }, perMessage: { settle, ...(schema && { schema: { type: 'object', required: ['order'] } }) } }));

function rarely(): fc.Arbitrary<boolean> {
  return fc.constantFrom(...Array.from({ length: 20 }, (_, index) => index === 19));
}

/** Mostly none. */
const sometimes = fc.oneof({ weight: 5, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: fc.subarray(ids, { minLength: 1, maxLength: 2 }) });

/** Random Jobs, of serials that may have gaps but no doubles, leases twice for an id, refusals, reservations. */
const views: fc.Arbitrary<Observed> = fc
  .record({
    spec,
    jobs: fc.uniqueArray(aJobOf, { maxLength: 5, selector: ({ id, serial }) => `${id} ${serial}` }),
    leases: fc.array(aLeaseOf, { minLength: 1, maxLength: 8, size: 'max' }),
    underWay: sometimes,
    refused: sometimes,
    reserved: sometimes,
    orphan: sometimes,
    posted: fc.boolean(),
    lost: fc.boolean(),
    room: fc.constantFrom(0, 1, 3, Infinity, Infinity, Infinity),
    halted: rarely(),
    state: fc.constantFrom('open', 'open', 'open', 'open', 'open', 'open', 'short', 'closed', 'unheard'),
    checked: fc.constantFrom('passed', 'passed', 'passed', 'passed', 'passed', 'passed', 'refused', 'none'),
  })
  .map((drawn) => {
    const of = drawn.spec;
    // Of the Job that would be next.
    const nameOf = (id: string): string => messageJobName({ key: thumbnails, spec: of, environment: anEnvironment() }, id, 1 + Math.max(0, ...drawn.jobs.map((job) => (job.id === id ? job.serial : 0))));
    const jobs = drawn.jobs.map(({ id, serial, changes, settled, hash, settle, receipt, tries, leasedAgo, dead }) =>
      aMessageJob(id, { specHash: hash, ...changes, ...(changes.finished === undefined && settled?.as !== 'taken' ? {} : { settled }), note: { serial, settle, tries, leasedAt: noon - seconds(leasedAgo), receipt: receipt ? { id } : {}, retry: { ...of.perMessage.retry, attempts: 2 }, ...(dead && { deadLetter: { queue: 'dead' } }) } }));
    const leases: LeaseInHand[] = drawn.leases
      .map(({ id, since, bare, receipt, delivery, bad }, index) => aLease(id, { token: String(index), since: noon - seconds(since), delivery, receipt: receipt ? { id } : {}, message: bare ? undefined : aMessage(id, { body: bad ? 'no JSON' : '{"order":1}' }) }))
      .sort((left, right) => left.since - right.since);
    const state = drawn.state === 'closed' ? ({ kind: 'closed', reason: 'QueueUnreachable', message: '' } as const) : anOpenSource(drawn.state === 'short' ? { leaseLimit: 1000, strict: true } : {});
    const view = { leases, underWay: new Set(drawn.underWay), refusals: new Map(drawn.refused.map((id) => [id, aRefusal('quota', { at: noon - minutes(1) })])), posted: new Set(drawn.posted ? jobs.map(({ uid }) => uid) : []), lost: new Set(drawn.lost ? jobs.map(({ uid }) => uid) : []), sources: new Map(drawn.state === 'unheard' ? [] : [[sourceText(orders), state]]) };
    return observedMessages(of, view, {
      jobs,
      reservations: drawn.reserved.map((id) => ({ jobName: nameOf(id), state: 'pending' as const })),
      orphans: drawn.orphan.map((id) => aPod({ jobName: nameOf(id), jobUid: `gone-${id}` })),
      room: { ...unlimited, jobs: drawn.halted ? 0 : drawn.room, halted: drawn.halted },
      verdict: drawn.checked === 'passed' ? passed() : drawn.checked === 'refused' ? verdict('refused') : undefined,
    });
  });

const specOf = (view: Observed): ReturnType<typeof aMessageQueueSpec> => {
  const found = view.claims[0]?.parsed.spec;
  if (found?.kind !== 'Queue' || found.mode !== 'perMessage') throw new Error('there is a Queue');
  return found;
};
const jobsOf = ({ jobs }: Observed, id: string) => jobs.filter(isMessageJob).filter(({ message }) => message.note.id === id);
const messagesIn = (view: Observed) => view.messages ?? aMessagesView();
const always = (claim: (view: Observed) => void): void => { fc.assert(fc.property(views, claim), { numRuns: runs(400) }); };

describe('every plan about messages', () => {
  it('says one thing at most about each message, and nothing while something is being asked about it', () => {
    always((view) => {
      const about = (planAt(view).messages ?? []).map(({ id }) => id);
      expect(new Set(about).size).toBe(about.length);
      expect(about.filter((id) => messagesIn(view).underWay.has(id))).toEqual([]);
    });
  });

  it('starts no Job while one of its message is live, not settled, reserved, or has a pod left', () => {
    always((view) => {
      for (const { id, jobName } of startsOf(planAt(view))) {
        expect(jobsOf(view, id).filter(isLive)).toEqual([]);
        const [newest] = jobsOf(view, id).sort((left, right) => right.message.note.serial - left.message.note.serial);
        expect(newest === undefined || newest.message.settled !== undefined).toBe(true);
        expect(view.reservations.map((reservation) => reservation.jobName)).not.toContain(jobName);
        expect(view.orphans.map((pod) => pod.jobName)).not.toContain(jobName);
        expect(view.jobs.map(({ name }) => name)).not.toContain(jobName);
      }
    });
  });

  it('starts Jobs only for messages in hand, with a lease and what it brought', () => {
    always((view) => {
      for (const { id, token } of startsOf(planAt(view))) expect(messagesIn(view).leases.find((lease) => lease.token === token)).toMatchObject({ id, message: { id } });
    });
  });

  it('settles no message whose newest Job has no final outcome, but those that are taken at creation', () => {
    always((view) => {
      for (const { id, job, how } of settlementsOf(planAt(view))) {
        const judged = jobsOf(view, id).find(({ uid }) => uid === job?.uid);
        if (!judged || judged.message.note.settle === 'onJobCreated') continue;
        expect(judged.recorded?.phase).toBe('final');
        expect(jobState(judged)).toBe('finished');
        if (how.kind === 'complete') expect(judged.recorded?.outcome).toBe('succeeded');
        if (how.kind === 'fail' || how.kind === 'dead') expect(judged.recorded?.outcome).toBe('failed');
      }
    });
  });

  it('acknowledges without writing it down only what is settled already', () => {
    always((view) => {
      for (const { id, job, how } of settlementsOf(planAt(view))) {
        if (how.kind !== 'complete' || job) continue;
        expect(['completed', 'taken', 'presumed', 'dead']).toContain(jobsOf(view, id).sort((left, right) => right.message.note.serial - left.message.note.serial)[0]?.message.settled?.as);
      }
    });
  });

  it('deletes no Job that is not settled, whose message is in hand, or within the dedupe window', () => {
    always((view) => {
      const inHand = new Set(messagesIn(view).leases.map(({ id }) => id));
      for (const action of planAt(view).actions) {
        if (action.kind !== 'delete') continue;
        const facts = view.jobs.find(({ uid }) => uid === action.job.uid)?.message;
        expect(facts?.settled === undefined ? Infinity : facts.settled.at + dedupeWindow).toBeLessThanOrEqual(noon);
        expect(inHand.has(facts?.note.id ?? '')).toBe(false);
      }
    });
  });

  it('leaves free places only within concurrency.max and the limits, and starts no more than there are', () => {
    always((view) => {
      const plan = planAt(view);
      const { leases, posted } = messagesIn(view);
      const inHand = new Set(leases.map(({ id }) => id));
      const free = freeOf(plan) ?? 0;
      const starts = startsOf(plan).length;
      const live = view.jobs.filter(isLive);
      const { max } = specOf(view).concurrency;
      expect(starts).toBeLessThanOrEqual(Math.max(0, Math.min(max - live.length, view.room?.jobs ?? Infinity)));
      if (free === 0) return;
      // Their messages come to the places that they have.
      const awaiting = live.filter((job) => isMessageJob(job) && !job.finished && !job.deleting && !job.message.settled && !isStored(job, { posted }) && !inHand.has(job.message.note.id));
      const settled = new Set(settlementsOf(plan).map(({ id }) => id));
      const waiting = [...inHand].filter((id) => !settled.has(id) && !messagesIn(view).underWay.has(id) && !jobsOf(view, id).some((job) => isLive(job) || (job.finished && !job.message.settled)));
      expect(free + waiting.length + live.length - awaiting.length).toBeLessThanOrEqual(max);
      expect(free + starts).toBeLessThanOrEqual(view.room?.jobs ?? Infinity);
    });
  });

  it('leaves nothing free and starts nothing while starting is held', () => {
    let held = 0;
    always((view) => {
      const { suspend, observe, hash } = specOf(view);
      const state = messagesIn(view).sources.get(sourceText(orders));
      const short = state?.kind === 'open' && state.leaseLimit !== undefined && specOf(view).perMessage.settle === 'onCompletion';
      if (!suspend && !observe && view.room?.halted !== true && view.verdict?.hash === hash && view.verdict.result.kind === 'passed' && state?.kind === 'open' && !short) return;
      held += 1;
      const plan = planAt(view);
      expect([freeOf(plan) ?? 0, startsOf(plan)]).toEqual([0, []]);
    });
    expect(held).toBeGreaterThan(0);
  });

  it('is made again in the same words: the same input gives the same plan', () => {
    always((view) => { expect(planAt(view)).toEqual(planAt(view)); });
  });

  it('is settling alone where no spec is left', () => {
    always((view) => {
      const plan = planAt({ ...view, claims: [] });
      expect(startsOf(plan)).toEqual([]);
      expect((plan.leases ?? []).filter(({ free }) => free > 0)).toEqual([]);
      expect(plan.messages?.filter(({ kind }) => kind === 'postPayload') ?? []).toEqual([]);
    });
  });
});
