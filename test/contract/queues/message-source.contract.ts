/** What every MessageSource promises, run against each kind of queue and against those of the simulation. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageSource } from '../../../src/reconcile/message-ports.ts';
import type { Lease, Verdict } from '../../../src/plan/messages/message.ts';
import { messageSettlingContract } from './message-settling.contract.ts';
import { meanwhile, until, Watched, type MakeSubject, type MessageSourceUnderTest } from './message-source-subject.ts';

const complete: Verdict = { kind: 'complete' };

/** Registers the cases. `make` gives an empty queue each time. */
export function messageSourceContract(name: string, make: MakeSubject): void {
  describe(`messages of ${name}`, () => {
    leasing(make);
    bodies(make);
    troubles(make);
    messageSettlingContract(make);
  });
}

function leasing(make: MakeSubject): void {
  describe('leasing', () => {
    let place: MessageSourceUnderTest;
    let process: MessageSource;
    const numbered = (count: number): { body: string }[] => Array.from({ length: count }, (_, index) => ({ body: `{"n":${index}}` }));
    const settle = ({ id, token, receipt }: Lease, verdict: Verdict) => meanwhile(place, process.settle(place.queue, { id, token, receipt }, verdict));

    beforeEach(async () => {
      place = await make();
      process = place.process();
    });
    afterEach(async () => {
      await place[Symbol.asyncDispose]();
    });

    it('opens at once, and says that it is open', async () => {
      const watched = new Watched(process, place.queue);
      await until(place, () => expect(watched.states.at(-1)).toMatchObject({ kind: 'open' }));
      expect(watched.leases).toEqual([]);
    });

    it('leases nothing before there is credit', async () => {
      const [idle, busy] = [new Watched(process, place.queue), new Watched(place.process(), place.queue)];
      await until(place, () => expect(idle.states.at(-1)).toMatchObject({ kind: 'open' }));
      const ids = await place.send(numbered(3));
      busy.subscription.credit(3);
      await until(place, () => expect(busy.ids.toSorted()).toEqual(ids.toSorted()));
      expect(idle.leases).toEqual([]);
    });

    it('leases as many messages as there is credit for, and no more', async () => {
      const [one, two] = [new Watched(process, place.queue), new Watched(place.process(), place.queue)];
      const ids = await place.send(numbered(5));
      one.subscription.credit(2);
      await until(place, () => expect(one.leases).toHaveLength(2));
      two.subscription.credit(3);
      await until(place, () => expect(two.leases).toHaveLength(3));
      expect([...one.ids, ...two.ids].toSorted()).toEqual(ids.toSorted());
    });

    it('counts credit from the opening on', async () => {
      const watched = new Watched(process, place.queue);
      const ids = await place.send(numbered(4));
      watched.subscription.credit(2);
      watched.subscription.credit(3);
      await until(place, () => expect(watched.leases).toHaveLength(3));
      expect(await settle(watched.at(0), complete)).toEqual({ kind: 'done' });
      watched.subscription.credit(4);
      await until(place, () => expect(watched.ids.toSorted()).toEqual(ids.toSorted()));
    });

    it('leases what comes later under credit that was given before', async () => {
      const watched = new Watched(process, place.queue);
      watched.subscription.credit(2);
      await until(place, () => expect(watched.states.at(-1)).toMatchObject({ kind: 'open' }));
      const first = await place.send(numbered(1));
      await until(place, () => expect(watched.ids).toEqual(first));
      const second = await place.send([{ body: '{"n":"later"}' }]);
      await until(place, () => expect(watched.ids).toEqual([...first, ...second]));
    });

    it('leases no more when it is paused, but for what was under way', async () => {
      const [paused, busy] = [new Watched(process, place.queue), new Watched(place.process(), place.queue)];
      paused.subscription.credit(100);
      await until(place, () => expect(paused.states.at(-1)).toMatchObject({ kind: 'open' }));
      paused.subscription.pause();
      busy.subscription.credit(100);
      for (let sent = 1; sent <= 8; sent++) {
        await place.send(numbered(1));
        await until(place, () => expect(paused.leases.length + busy.leases.length).toBe(sent));
      }
      expect(paused.leases.length).toBeLessThanOrEqual(1);
    });

    it('leases again when there is credit after a pause, even if the sum is no higher than before', async () => {
      const watched = new Watched(process, place.queue);
      watched.subscription.credit(2);
      watched.subscription.pause();
      watched.subscription.credit(2);
      const ids = await place.send(numbered(2));
      await until(place, () => expect(watched.ids.toSorted()).toEqual(ids.toSorted()));
    });

    it('leases no more than there is credit for after a pause, if the sum is lower than before', async () => {
      const watched = new Watched(process, place.queue);
      await place.send(numbered(1));
      watched.subscription.credit(100);
      await until(place, () => expect(watched.leases).toHaveLength(1));
      watched.subscription.pause();
      const busy = new Watched(place.process(), place.queue);
      busy.subscription.credit(100);
      // Until the other one has got one, what was under way may still come.
      await place.send(numbered(1));
      await until(place, () => expect(watched.leases.length + busy.leases.length).toBe(2));
      await meanwhile(place, busy.subscription.close());
      const before = watched.leases.length;
      watched.subscription.credit(before + 1);
      await place.send(numbered(3));
      await until(place, () => expect(watched.leases.length).toBeGreaterThan(before));
      const late = new Watched(place.process(), place.queue);
      late.subscription.credit(100);
      await until(place, () => expect(watched.leases.length + late.leases.length).toBeGreaterThanOrEqual(before + 3));
      expect(watched.leases).toHaveLength(before + 1);
    });

    it('gives a lease with its message and all that belongs to it', async () => {
      const watched = new Watched(process, place.queue);
      const before = place.now();
      const ids = await place.send([{ body: '{"n":1}', headers: { tenant: 'acme' } }, { body: '{"n":2}' }]);
      watched.subscription.credit(2);
      await until(place, () => expect(watched.leases).toHaveLength(2));
      expect(watched.ids.toSorted()).toEqual(ids.toSorted());
      const [one, two] = ids[0] === watched.at(0).id ? [0, 1] : [1, 0];
      expect(watched.at(one).token).not.toBe(watched.at(two).token);
      expect([undefined, 1]).toContain(watched.at(one).delivery);
      if (place.can.countsDeliveries) expect(watched.at(one).delivery).toBe(1);
      expect(watched.at(one).since).toBeGreaterThanOrEqual(before);
      expect(watched.at(one).since).toBeLessThanOrEqual(place.now());
      expect(watched.at(one).problem).toBeUndefined();
      const message = watched.message(one);
      expect(message.id).toBe(ids[0]);
      expect(new TextDecoder().decode(message.body)).toBe('{"n":1}');
      if (place.can.headers) expect(message.headers).toMatchObject({ tenant: 'acme' });
      // Two clocks: the queue's, and ours; some count whole seconds.
      if (place.can.tellsEnqueued) expect(Math.abs((message.enqueuedAt ?? 0) - before)).toBeLessThan(5_000);
    });

    it('gives each message to one subscription only', async () => {
      const subscriptions = [new Watched(process, place.queue), new Watched(process, place.queue), new Watched(place.process(), place.queue)];
      for (const { subscription } of subscriptions) subscription.credit(12);
      const ids = await place.send(numbered(24));
      const all = (): string[] => subscriptions.flatMap((watched) => [...watched.ids]);
      await until(place, () => expect(all()).toHaveLength(24));
      expect(all().toSorted()).toEqual(ids.toSorted());
    });

    it('gives back what is in hand when a subscription is closed, and says nothing afterwards', async () => {
      const [first, second] = [new Watched(process, place.queue), new Watched(place.process(), place.queue)];
      const ids = await place.send(numbered(3));
      first.subscription.credit(3);
      await until(place, () => expect(first.leases).toHaveLength(3));
      await meanwhile(place, first.subscription.close());
      const heard = [first.leases.length, first.states.length];
      second.subscription.credit(3);
      await until(place, () => expect(second.ids.toSorted()).toEqual(ids.toSorted()));
      expect([first.leases.length, first.states.length]).toEqual(heard);
    });

    it('gives back what is in hand when the process closes', async () => {
      const first = new Watched(process, place.queue);
      const ids = await place.send(numbered(3));
      first.subscription.credit(3);
      await until(place, () => expect(first.leases).toHaveLength(3));
      await meanwhile(place, process.close());
      const second = new Watched(place.process(), place.queue);
      second.subscription.credit(3);
      await until(place, () => expect(second.ids.toSorted()).toEqual(ids.toSorted()));
    });

    it('leaves to its end what was abandoned before it closes: a later process takes it over', async ({ skip }) => {
      if (place.can.adopts === 'nothing') return skip('leases end with the process');
      const first = new Watched(process, place.queue);
      await place.send(numbered(1));
      first.subscription.credit(1);
      await until(place, () => expect(first.leases).toHaveLength(1));
      first.subscription.abandon(first.at(0).token);
      await meanwhile(place, first.subscription.close());
      const later = new Watched(place.process(), place.queue);
      later.subscription.adopt(first.at(0).id, first.at(0).receipt);
      await until(place, () => expect(later.ids).toEqual(first.ids));
    });

    it('keeps a lease longer than the queue gives it for, until it is abandoned', async ({ skip }) => {
      if (!place.can.renews || !place.outliveLease) return skip('leases are not renewed');
      const [first, second] = [new Watched(process, place.queue), new Watched(place.process(), place.queue)];
      const [id] = await place.send(numbered(1));
      first.subscription.credit(1);
      await until(place, () => expect(first.leases).toHaveLength(1));
      second.subscription.credit(1);
      await meanwhile(place, place.outliveLease());
      expect(second.leases).toEqual([]);
      first.subscription.abandon(first.at(0).token);
      await until(place, () => expect(second.ids).toEqual([id]));
    });
  });
}

function bodies(make: MakeSubject): void {
  describe('bodies', () => {
    const cases: readonly (readonly [title: string, body: Uint8Array, can: (place: MessageSourceUnderTest) => boolean])[] = [
      ['that are no text', Uint8Array.from({ length: 256 }, (_, index) => index), ({ can }) => can.bodies.binary],
      ['that are empty', new Uint8Array(), ({ can }) => can.bodies.empty],
      ['of text beyond ASCII', new TextEncoder().encode('{"grüße":"日本 🎉 \\" \\\\ $(params.x)"}'), () => true],
      ['of 100 KiB', new TextEncoder().encode(JSON.stringify({ text: 'x'.repeat(100 * 1024) })), () => true],
      ['of 255 KiB', new TextEncoder().encode(JSON.stringify({ text: 'y'.repeat(255 * 1024) })), ({ can }) => can.bodies.largest >= 256 * 1024],
      ['of 1 MiB', new TextEncoder().encode(JSON.stringify({ text: 'z'.repeat(1024 * 1024) })), ({ can }) => can.bodies.largest > 1024 * 1024 + 20],
    ];
    it.each(cases)('%s come as they were sent', async (_, body, can) => {
      await using place = await make();
      if (!can(place)) return;
      const watched = new Watched(place.process(), place.queue);
      const ids = await place.send([{ body }]);
      watched.subscription.credit(1);
      await until(place, () => expect(watched.ids).toEqual(ids));
      expect(Buffer.from(watched.message(0).body).equals(Buffer.from(body))).toBe(true);
    });
  });
}

function troubles(make: MakeSubject): void {
  describe('troubles', () => {
    it('a queue that does not exist is a closed state, and opens when it is made', async () => {
      await using place = await make({ missing: true });
      const watched = new Watched(place.process(), place.queue);
      watched.subscription.credit(1);
      await until(place, () => expect(watched.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueNotFound' }));
      await place.create();
      const ids = await place.send([{ body: '{}' }]);
      await until(place, () => expect(watched.ids).toEqual(ids));
      expect(watched.states.at(-1)).toMatchObject({ kind: 'open' });
    });

    it('a connection that does not exist is a closed state, and nothing can be settled there', async () => {
      await using place = await make();
      const process = place.process();
      const queue = { ...place.queue, connection: 'nowhere' };
      const watched = new Watched(process, queue);
      watched.subscription.credit(1);
      await until(place, () => expect(watched.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'ConnectionUnknown' }));
      const answer = await meanwhile(place, process.settle(queue, { id: '8f14e45f-ceea-467f-a9d5-0c1b2d3e4f50', token: undefined, receipt: {} }, complete));
      expect(['lost', 'failed']).toContain(answer.kind);
      await meanwhile(place, watched.subscription.close());
    });

    it('reports the leases that end by themselves, once each, and they cannot be settled any more', async () => {
      await using place = await make();
      const process = place.process();
      const watched = new Watched(process, place.queue);
      const ids = await place.send([{ body: '{"n":1}' }, { body: '{"n":2}' }]);
      watched.subscription.credit(2);
      await until(place, () => expect(watched.leases).toHaveLength(2));
      const held = [watched.at(0), watched.at(1)];
      await meanwhile(place, place.endLeases());
      await until(place, () => expect(watched.losses.map(({ token }) => token).toSorted()).toEqual(held.map(({ token }) => token).toSorted()));
      for (const { id, token, receipt } of held) expect(await meanwhile(place, process.settle(place.queue, { id, token, receipt }, complete))).toMatchObject({ kind: 'lost' });
      watched.subscription.credit(4);
      await until(place, () => expect(watched.ids.slice(2).toSorted()).toEqual(ids.toSorted()));
      if (place.can.countsDeliveries) expect(watched.at(2).delivery).toBeGreaterThan(1);
      expect(watched.losses).toHaveLength(2);
    });

    it('leases again by itself after the server was away', async () => {
      await using place = await make();
      const watched = new Watched(place.process(), place.queue);
      watched.subscription.credit(1);
      await until(place, () => expect(watched.states.at(-1)).toMatchObject({ kind: 'open' }));
      const end = await place.outage();
      await until(place, () => expect(watched.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueUnreachable' }));
      await end();
      const ids = await place.send([{ body: '{}' }]);
      await until(place, () => expect(watched.ids).toEqual(ids));
      expect(watched.states.at(-1)).toMatchObject({ kind: 'open' });
    });

    it('answers and closes while the server is away', async () => {
      await using place = await make();
      const process = place.process();
      const watched = new Watched(process, place.queue);
      const [id = ''] = await place.send([{ body: '{}' }]);
      watched.subscription.credit(1);
      await until(place, () => expect(watched.ids).toEqual([id]));
      const { token, receipt } = watched.at(0);
      const end = await place.outage();
      const answer = await meanwhile(place, process.settle(place.queue, { id, token, receipt }, complete));
      // A connection that nobody answers may take an ack of AMQP before it is known to be broken.
      expect(place.can.settlesByReceipt ? ['failed'] : ['done', 'lost', 'failed']).toContain(answer.kind);
      await meanwhile(place, process.close());
      await end();
    });

    it('answers after it was closed', async () => {
      await using place = await make();
      const process = place.process();
      const watched = new Watched(process, place.queue);
      await meanwhile(place, process.close());
      watched.subscription.credit(1);
      watched.subscription.pause();
      watched.subscription.adopt('8f14e45f-ceea-467f-a9d5-0c1b2d3e4f50', {});
      watched.subscription.abandon('none');
      const answer = await meanwhile(place, process.settle(place.queue, { id: '8f14e45f-ceea-467f-a9d5-0c1b2d3e4f50', token: 'none', receipt: {} }, complete));
      expect(['lost', 'failed']).toContain(answer.kind);
      await meanwhile(place, Promise.all([watched.subscription.close(), process.close()]));
    });
  });
}
