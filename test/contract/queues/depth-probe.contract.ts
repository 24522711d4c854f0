/** What every DepthProbe promises, run against real pg-boss versions and against the queue of the simulation. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DepthAnswer, DepthProbe } from '../../../src/reconcile/ports.ts';
import { pgBossSource } from '../../support/sources.ts';

/** An empty queue and the probe that is asked about it. */
export interface QueueUnderTest {
  readonly probe: DepthProbe;
  /** What the probe must be asked for to reach this queue. */
  readonly connection: string;
  readonly schema: string | undefined;
  readonly queue: string;
  /** A second queue in the same place. */
  readonly otherQueue: string;
  /** This process's time, in which `nextReadyAt` is given. */
  now(): number;
  /** Puts messages into the queue; `deferredBy` milliseconds from now they become ready. */
  send(count: number, options?: { deferredBy?: number; queue?: string }): Promise<void>;
  /** Takes messages as a worker does; gives their ids. */
  fetch(count: number): Promise<readonly string[]>;
  complete(ids: readonly string[]): Promise<void>;
  /** Gives messages back as failed; they have attempts left and no delay. */
  fail(ids: readonly string[]): Promise<void>;
  /** A short while passes, by whatever clock the queue lives. */
  pass(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Registers the cases. `make` gives an empty queue each time. */
export function depthProbeContract(name: string, make: () => Promise<QueueUnderTest>): void {
  describe(`depth of ${name}`, () => {
    let queue: QueueUnderTest;
    const never = new AbortController().signal;
    const ask = (upTo = 100, of = queue.queue): Promise<DepthAnswer> =>
      queue.probe.depth({ source: pgBossSource(of, queue), upTo }, never);
    const known = (ready: number): DepthAnswer => ({ kind: 'known', ready, nextReadyAt: undefined });

    beforeEach(async () => {
      queue = await make();
    });
    afterEach(async () => {
      await queue[Symbol.asyncDispose]();
    });

    it('is zero for an empty queue', async () => {
      expect(await ask()).toEqual(known(0));
    });

    it('is zero for a queue that was never created', async () => {
      expect(await ask(100, 'nobody made "this" one \\ \'')).toEqual(known(0));
    });

    it('counts messages that a worker could fetch now', async () => {
      await queue.send(5);
      expect(await ask()).toEqual(known(5));
    });

    it('counts no further than it is asked to', async () => {
      await queue.send(5);
      expect(await ask(3)).toMatchObject({ kind: 'known', ready: 3 });
    });

    it('does not count what a worker has in hand', async () => {
      await queue.send(5);
      await queue.fetch(2);
      expect(await ask()).toEqual(known(3));
    });

    it('does not count what was completed', async () => {
      await queue.send(3);
      await queue.complete(await queue.fetch(3));
      expect(await ask()).toEqual(known(0));
    });

    it('counts what failed and is to be tried again', async () => {
      await queue.send(2);
      await queue.fail(await queue.fetch(2));
      await vi.waitFor(async () => {
        await queue.pass();
        expect(await ask()).toMatchObject({ kind: 'known', ready: 2 });
      }, 20_000);
    });

    it('does not count deferred messages, and tells when the next becomes ready', async () => {
      await queue.send(2);
      await queue.send(1, { deferredBy: 7_200_000 });
      const before = queue.now();
      await queue.send(3, { deferredBy: 3_600_000 });
      const answer = await ask();
      const after = queue.now();
      expect(answer).toMatchObject({ kind: 'known', ready: 2 });
      const next = answer.kind === 'known' ? answer.nextReadyAt : undefined;
      // The time of deferral and of the answer are read by different clocks.
      expect(next).toBeGreaterThanOrEqual(before + 3_600_000 - 1_000);
      expect(next).toBeLessThanOrEqual(after + 3_600_000 + 1_000);
    });

    it('counts a deferred message once its time has come, and not before', async () => {
      const due = queue.now() + 1_500;
      await queue.send(1, { deferredBy: 1_500 });
      await vi.waitFor(async () => {
        await queue.pass();
        expect(await ask()).toEqual(known(1));
      }, 20_000);
      // The time of deferral and of the answer are read by different clocks.
      expect(queue.now()).toBeGreaterThanOrEqual(due - 100);
    });

    it('keeps queues apart', async () => {
      await queue.send(4);
      await queue.send(1, { queue: queue.otherQueue });
      expect(await Promise.all([ask(), ask(100, queue.otherQueue), ask(2), ask(100, 'elsewhere')])).toMatchObject([known(4), known(1), { ready: 2 }, known(0)]);
    });

    it('is unknown for a connection that does not exist', async () => {
      const answer = await queue.probe.depth({ source: pgBossSource(queue.queue, { connection: 'nowhere' }), upTo: 1 }, never);
      expect(answer).toMatchObject({ kind: 'unknown', reason: 'ConnectionUnknown' });
    });

    it('is unknown when the question is withdrawn before it is asked', async () => {
      const answer = await queue.probe.depth({ source: pgBossSource(queue.queue, queue), upTo: 1 }, AbortSignal.abort());
      expect(answer).toMatchObject({ kind: 'unknown' });
    });
  });
}
