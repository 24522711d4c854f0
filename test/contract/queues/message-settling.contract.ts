/** The part of the contract of message sources that is about settling and taking over. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageSource } from '../../../src/reconcile/message-ports.ts';
import type { Lease, Receipt, SettleAnswer, Verdict } from '../../../src/plan/messages/message.ts';
import { failure, meanwhile, until, Watched, type MakeSubject, type MessageSourceUnderTest } from './message-source-subject.ts';

const complete: Verdict = { kind: 'complete', output: { rows: 3 } };
const fail: Verdict = { kind: 'fail', failure, delay: 0 };
const release: Verdict = { kind: 'release' };

export function messageSettlingContract(make: MakeSubject): void {
  let place: MessageSourceUnderTest;
  let process: MessageSource;
  let watched: Watched;
  const settle = ({ id, token, receipt }: Pick<Lease, 'id' | 'receipt'> & { token: string | undefined }, verdict: Verdict, by = process): Promise<SettleAnswer> =>
    meanwhile(place, by.settle(place.queue, { id, token, receipt }, verdict));
  /** Sends one message and gives its lease. */
  const leaseOne = async (body = '{"n":1}', headers: Readonly<Record<string, string>> = {}): Promise<Lease> => {
    const [id] = await place.send([{ body, headers }]);
    const count = watched.leases.length;
    watched.subscription.credit(count + 1);
    await until(place, () => expect(watched.leases).toHaveLength(count + 1));
    expect(watched.at(count).id).toBe(id);
    return watched.at(count);
  };
  /** A new process is given credit for all there could be, and gets a message that was sent now, and no other. */
  const nothingElseComes = async (): Promise<void> => {
    const other = new Watched(place.process(), place.queue);
    other.subscription.credit(10);
    const ids = await place.send([{ body: '{"n":"after"}' }]);
    await until(place, () => expect(other.leases.length).toBeGreaterThan(0));
    expect(other.ids).toEqual(ids);
    expect(await meanwhile(place, place.waiting())).toBe(0);
  };
  const setUp = async (): Promise<void> => {
    place = await make();
    process = place.process();
    watched = new Watched(process, place.queue);
  };
  const tearDown = (): Promise<void> => place[Symbol.asyncDispose]();

  describe('settling', () => {
    beforeEach(setUp);
    afterEach(tearDown);

    it('a completed message never comes again', async () => {
      expect(await settle(await leaseOne(), complete)).toEqual({ kind: 'done' });
      await meanwhile(place, watched.subscription.close());
      await nothingElseComes();
      expect(watched.losses).toEqual([]);
    });

    it('a message that is completed twice is completed', async () => {
      const lease = await leaseOne();
      expect(await settle(lease, complete)).toEqual({ kind: 'done' });
      const again = await settle(lease, complete);
      expect(['done', 'already', 'lost']).toContain(again.kind);
      const later = await settle({ ...lease, token: undefined }, complete, place.process());
      expect(['done', 'already', 'lost']).toContain(later.kind);
      await meanwhile(place, watched.subscription.close());
      await nothingElseComes();
    });

    it('a completed message that is then said to have failed, or given back, stays completed', async () => {
      const lease = await leaseOne();
      expect(await settle(lease, complete)).toEqual({ kind: 'done' });
      for (const verdict of [fail, release]) expect((await settle(lease, verdict)).kind).not.toBe('failed');
      await meanwhile(place, watched.subscription.close());
      await nothingElseComes();
    });

    it('a failed message goes the way that the queue has for it', async () => {
      const lease = await leaseOne();
      watched.subscription.credit(2);
      expect(await settle(lease, fail)).toEqual({ kind: 'done' });
      if (place.can.afterFail === 'goesToOwnDeadLetters') {
        await until(place, async () => expect(await place.ownDead?.()).toEqual([lease.id]));
        return;
      }
      await until(place, () => expect(watched.ids).toEqual([lease.id, lease.id]));
      expect(watched.at(1).token).not.toBe(lease.token);
      if (place.can.countsDeliveries) expect(watched.at(1).delivery).toBe(2);
      expect(await settle(watched.at(1), complete)).toEqual({ kind: 'done' });
    });

    it('a message that is given back comes again, to any subscription', async () => {
      const lease = await leaseOne('{"n":"back"}');
      const other = new Watched(place.process(), place.queue);
      other.subscription.credit(1);
      expect(await settle(lease, release)).toEqual({ kind: 'done' });
      await until(place, () => expect(other.ids).toEqual([lease.id]));
      expect(new TextDecoder().decode(other.message(0).body)).toBe('{"n":"back"}');
      if (place.can.countsDeliveries) expect(other.at(0).delivery).toBe(place.can.releaseCounts ? 2 : 1);
    });

    it('a message settled is no lease that was lost', async () => {
      for (const verdict of [complete, release, complete]) await settle(await nextLease(), verdict);
      await meanwhile(place, watched.subscription.close());
      expect(watched.losses).toEqual([]);
    });

    it('many messages are settled at once', async () => {
      const ids = await place.send(Array.from({ length: 40 }, (_, index) => ({ body: `{"n":${index}}` })));
      watched.subscription.credit(40);
      await until(place, () => expect(watched.leases).toHaveLength(40));
      expect(watched.ids.toSorted()).toEqual(ids.toSorted());
      const answers = await meanwhile(place, Promise.all(watched.leases.map((lease) => process.settle(place.queue, lease, complete))));
      expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['done']));
      await meanwhile(place, watched.subscription.close());
      await nothingElseComes();
    });

    /** A message that was given back, or else a new one. */
    const nextLease = async (): Promise<Lease> => {
      const count = watched.leases.length;
      if ((await meanwhile(place, place.waiting())) === 0) return leaseOne();
      watched.subscription.credit(count + 1);
      await until(place, () => expect(watched.leases).toHaveLength(count + 1));
      return watched.at(count);
    };
  });

  describe('dead letters', () => {
    beforeEach(setUp);
    afterEach(tearDown);

    it('arrive with the id, the body, the headers and why', async () => {
      const lease = await leaseOne('{"n":"dead"}', { tenant: 'acme' });
      const message = watched.message(0);
      expect(await meanwhile(place, process.deadLetter(place.queue, place.deadLetter, { message, failure }))).toEqual({ kind: 'done' });
      await until(place, async () => expect(await place.dead()).toHaveLength(1));
      const [dead] = await place.dead();
      expect(dead).toMatchObject({ messageId: lease.id, reason: failure.reason, message: failure.message, job: failure.job, attempt: failure.attempt });
      expect(new TextDecoder().decode(dead?.body)).toBe('{"n":"dead"}');
      if (place.can.headers) expect(dead?.headers).toMatchObject({ tenant: 'acme' });
      expect(await settle(lease, complete)).toEqual({ kind: 'done' });
    });

    it('published twice are one, where the queue can tell', async () => {
      await leaseOne();
      const publish = (): Promise<SettleAnswer> => meanwhile(place, process.deadLetter(place.queue, place.deadLetter, { message: watched.message(0), failure }));
      expect(await publish()).toEqual({ kind: 'done' });
      expect(['done', 'already']).toContain((await publish()).kind);
      const expected = place.can.deadLettersOnce ? 1 : 2;
      await until(place, async () => expect(await place.dead()).toHaveLength(expected));
      for (const { messageId } of await place.dead()) expect(messageId).toBe(watched.at(0).id);
    });

    it('for a place that does not exist are refused, with its name', async () => {
      await leaseOne();
      const answer = await meanwhile(place, process.deadLetter(place.queue, place.noDeadLetter, { message: watched.message(0), failure }));
      expect(answer).toMatchObject({ kind: 'failed' });
      const name = 'queue' in place.noDeadLetter ? place.noDeadLetter.queue : place.noDeadLetter.exchange;
      expect('message' in answer ? answer.message : '').toContain(name);
    });
  });

  describe('deliveries of a process before', () => {
    beforeEach(setUp);
    afterEach(tearDown);

    it('are settled by their receipt, where the queue can; else the lease is lost', async () => {
      const lease = await leaseOne();
      const answer = await settle({ ...lease, token: undefined }, complete, place.process());
      expect(answer.kind).toBe(place.can.settlesByReceipt ? 'done' : 'lost');
      await meanwhile(place, process.close());
      if (place.can.settlesByReceipt) return nothingElseComes();
      const later = new Watched(place.process(), place.queue);
      later.subscription.credit(1);
      await until(place, () => expect(later.ids).toEqual([lease.id]));
    });

    it('are taken into hand by their receipt, where the queue can, beside the credit', async () => {
      const lease = await leaseOne();
      const process2 = place.process();
      const later = new Watched(process2, place.queue);
      later.subscription.adopt(lease.id, lease.receipt);
      later.subscription.credit(1);
      const [fresh = ''] = await place.send([{ body: '{"n":"fresh"}' }]);
      const expected = place.can.adopts === 'nothing' ? [fresh] : [lease.id, fresh];
      await until(place, () => expect(later.ids.toSorted()).toEqual(expected.toSorted()));
      const taken = later.leases.find(({ id }) => id === lease.id);
      if (!taken) return;
      expect(taken.message === undefined ? 'lease' : 'message').toBe(place.can.adopts);
      // Else the lease book would count it against the credit.
      expect(taken.adopted === true || taken.message === undefined).toBe(true);
      expect(later.leases.find(({ id }) => id === fresh)?.adopted ?? false).toBe(false);
      expect(await settle(taken, complete, process2)).toEqual({ kind: 'done' });
      await meanwhile(place, Promise.all([watched.subscription.close(), later.subscription.close()]));
      // The fresh one was given back.
      const last = new Watched(place.process(), place.queue);
      last.subscription.credit(5);
      await until(place, () => expect(last.ids).toEqual([fresh]));
    });

    it.each<[string, (lease: Lease) => [string, Receipt]]>([
      ['that are settled', ({ id, receipt }) => [id, receipt]],
      ['whose receipt is none', ({ id }) => [`not-${id}`, {}]],
    ])('%s are not taken into hand', async (_, what) => {
      const lease = await leaseOne();
      await settle(lease, complete);
      const later = new Watched(place.process(), place.queue);
      later.subscription.adopt(...what(lease));
      later.subscription.credit(1);
      const fresh = await place.send([{ body: '{"n":"fresh"}' }]);
      await until(place, () => expect(later.ids).toEqual(fresh));
    });
  });
}
