import { beforeEach, describe, expect, it } from 'vitest';
import type { HideEntry } from '../../../../src/adapters/queues/sqs/sqs-api.ts';
import { SqsError } from '../../../../src/adapters/queues/sqs/sqs-error.ts';
import { longestHold, SqsLeases, type SqsLease } from '../../../../src/adapters/queues/sqs/sqs-leases.ts';
import type { QueueName } from '../../../../src/adapters/queues/sqs/sqs-links.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const gone = new SqsError('QueueUnreachable', 'it is not in flight', 'handle');
const down = new SqsError('QueueUnreachable', 'refused');

describe('leases of SQS', () => {
  let clock: FakeClock;
  let asked: { readonly queue: string; readonly at: number; readonly entries: readonly HideEntry[] }[];
  let lost: [token: string, why: string][];
  let answers: (entry: HideEntry) => SqsError | undefined;
  let leases: SqsLeases;
  const events = { leased: () => undefined, lost: (token: string, why: string) => void lost.push([token, why]), state: () => undefined };

  beforeEach(() => {
    clock = new FakeClock();
    asked = [];
    lost = [];
    answers = () => undefined;
    const hideMany = (queue: QueueName, entries: readonly HideEntry[]): Promise<readonly (SqsError | undefined)[]> => {
      asked.push({ queue: queue.queue, at: clock.monotonic(), entries });
      return Promise.resolve(entries.map((entry) => answers(entry)));
    };
    leases = new SqsLeases({ clock, hideMany });
  });

  const add = (handle = 'h', { queue = 'work', hidden = 60, visibility = 60 } = {}): SqsLease =>
    leases.add({ id: `id-${handle}`, handle, queue: { connection: 'main', queue, url: undefined }, events, visibility, receivedAt: clock.monotonic() }, { askedAt: clock.monotonic(), hidden });
  const times = (): readonly number[] => asked.map(({ at }) => at);

  it('are renewed when a third of their time is over, for as long as they are in hand', async () => {
    const lease = add();
    await clock.advance(61_000);
    expect(times()).toEqual([20_000, 40_000, 60_000]);
    expect(asked[0]?.entries).toEqual([{ handle: 'h', seconds: 60 }]);
    leases.remove(lease);
    await clock.advance(600_000);
    expect(asked).toHaveLength(3);
    expect(lost).toEqual([]);
    expect(clock.pending).toEqual([]);
  });

  it('that are hidden for a short time first are renewed sooner, and then for longer', async () => {
    add('h', { hidden: 20 });
    await clock.advance(30_000);
    expect(times()).toEqual([20_000 / 3, 20_000 / 3 + 20_000]);
  });

  it('are renewed ten in a request, those of one queue together, though they came a little apart', async () => {
    for (let index = 0; index < 12; index++) add(`a${index}`);
    await clock.advance(1_000);
    add('late');
    add('other', { queue: 'other' });
    await clock.advance(20_000);
    expect(asked.map(({ queue, at, entries }) => [queue, at, entries.length])).toEqual([
      ['work', 20_000, 10],
      ['work', 20_000, 3],
      ['other', 20_000, 1],
    ]);
  });

  it('are lost when SQS says so, each for itself', async () => {
    const [one, two] = [add('one'), add('two')];
    answers = ({ handle }) => (handle === 'one' ? gone : undefined);
    await clock.advance(25_000);
    expect(lost).toEqual([[one.token, 'SQS has taken it back: it is not in flight']]);
    expect(leases.get(one.token)).toBeUndefined();
    expect(leases.get(two.token)).toBe(two);
  });

  it('are tried several times while SQS cannot be reached, and lost when their time is over', async () => {
    const lease = add();
    answers = () => down;
    await clock.advance(59_999);
    expect(times()).toEqual([20_000, 27_500, 35_000, 42_500, 50_000, 57_500]);
    expect(lost).toEqual([]);
    await clock.advance(1);
    expect(lost).toEqual([[lease.token, 'its visibility timeout was over before it could be renewed']]);
    expect(clock.pending).toEqual([]);
  });

  it('live on when SQS is back in time', async () => {
    const lease = add();
    answers = () => down;
    await clock.advance(30_000);
    answers = () => undefined;
    await clock.advance(60_000);
    expect(lost).toEqual([]);
    expect(leases.get(lease.token)).toBe(lease);
  });

  it('that are abandoned end when they end', async () => {
    const lease = add();
    await clock.advance(20_000);
    lease.abandoned = true;
    await clock.advance(59_999);
    expect(lost).toEqual([]);
    await clock.advance(1);
    expect(lost).toHaveLength(1);
    expect(times()).toEqual([20_000]);
  });

  it('whose time is over are lost as soon as somebody asks, before any timer', () => {
    const lease = leases.add({ id: 'late', handle: 'h', queue: { connection: 'main', queue: 'work', url: undefined }, events, visibility: 60, receivedAt: -90_000 }, { askedAt: -61_000, hidden: 60 });
    expect(leases.get(lease.token)).toBeUndefined();
    expect(lost).toHaveLength(1);
  });

  it('are never renewed beyond the twelve hours that SQS allows, and are lost then', async () => {
    const lease = add();
    await clock.advance(longestHold + 60_000);
    const ends = asked.map(({ at, entries }) => at + (entries[0]?.seconds ?? 0) * 1_000);
    expect(Math.max(...ends)).toBeLessThanOrEqual(longestHold);
    expect(lost.map(([token]) => token)).toEqual([lease.token]);
    expect(clock.pending).toEqual([]);
  });

  it('of which SQS says that they cannot be held longer end when they end', async () => {
    add();
    answers = () => new SqsError('QueueUnreachable', 'beyond the limit', 'limit');
    await clock.advance(60_000);
    expect(times()).toEqual([20_000]);
    expect(lost).toHaveLength(1);
  });

  it('are not renewed while something is asked about them, which waits for a renewal under way', async () => {
    const lease = add();
    const order: string[] = [];
    lease.renewal = clock.advance(0).then(() => void order.push('renewed'));
    let answer: (text: string) => void = () => undefined;
    const settled = leases.settling(lease, () => {
      order.push('asked');
      return new Promise<string>((resolve) => (answer = resolve));
    });
    await clock.advance(0);
    lease.renewal = undefined;
    expect(order).toEqual(['renewed', 'asked']);
    await clock.advance(40_000);
    expect(asked).toEqual([]);
    answer('failed');
    expect(await settled).toBe('failed');
    await clock.advance(1);
    expect(times()).toEqual([40_000]);
  });

  it('whose deletion got no answer are gone when SQS knows them no more, and that is no loss', async () => {
    const lease = add();
    lease.removalSent = true;
    answers = () => gone;
    await clock.advance(600_000);
    expect(lost).toEqual([]);
    expect(leases.get(lease.token)?.removed).toBe(true);
  });

  it('of a subscription that is closed go back at once without a word, but for those that were abandoned', async () => {
    for (let index = 0; index < 11; index++) add(`mine${index}`);
    add('kept').abandoned = true;
    await leases.drop(events);
    expect(asked.map(({ entries }) => entries.length)).toEqual([10, 1]);
    expect(new Set(asked.flatMap(({ entries }) => entries.map(({ seconds }) => seconds)))).toEqual(new Set([0]));
    expect(asked.flatMap(({ entries }) => entries.map(({ handle }) => handle))).not.toContain('kept');
    await clock.advance(600_000);
    expect(asked).toHaveLength(2);
    expect([lost, clock.pending]).toEqual([[], []]);
  });

  describe('by their handle', () => {
    it('are found as long as they are in hand', async () => {
      const [settled, lost, taken, kept] = ['settled', 'lost', 'taken', 'kept'].map((handle) => add(handle));
      expect(leases.byHandle('taken')).toBe(taken);
      if (settled) leases.remove(settled);
      if (lost) leases.lose(lost, 'SQS said so');
      expect(['settled', 'lost', 'taken', 'kept', 'none'].map((handle) => leases.byHandle(handle))).toEqual([undefined, undefined, taken, kept, undefined]);
      await leases.drop(events);
      expect(leases.byHandle('kept')).toBeUndefined();
    });

    it('a handle that was given twice is the newer lease', () => {
      const [first, second] = [add('twice'), add('twice')];
      expect(leases.byHandle('twice')).toBe(second);
      leases.remove(first);
      expect(leases.byHandle('twice')).toBe(second);
    });

    it('are found without a look at all the others', () => {
      const handles = Array.from({ length: 20_000 }, (_, index) => `h${index}`);
      for (const handle of handles) add(handle);
      const began = performance.now();
      for (const handle of handles) expect(leases.byHandle(handle)?.handle === handle || handle).toBe(true);
      // With a look at all of them for each it is twenty seconds and more.
      expect(performance.now() - began).toBeLessThan(5_000);
    });
  });
});
