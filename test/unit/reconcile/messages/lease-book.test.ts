import { describe, expect, it } from 'vitest';
import type { LeaseDemand } from '../../../../src/plan/messages/action.ts';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import { LeaseBook } from '../../../../src/reconcile/messages/lease-book.ts';
import { noMessages } from '../../../../src/reconcile/messages/no-messages.ts';
import { sourceText } from '../../../../src/spec/queue-source.ts';
import { noon } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { aDelivery, FakeMessages, openSource } from '../../../support/message-fakes.ts';
import { pgBossSource } from '../../../support/sources.ts';

const key: SpecKey = { kind: 'queue', name: 'work' };
const work = pgBossSource('work');
const wish = (free: number, changes: Partial<LeaseDemand> = {}): LeaseDemand => ({ source: work, free, adopt: [], ...changes });

function aBook(source = new FakeMessages()) {
  const clock = new FakeClock(noon);
  const told: string[] = [];
  let rounds = 0;
  const book = new LeaseBook({
    clock,
    source,
    leased: (_key, { id }) => { told.push(`leased ${id}`); },
    lost: (_key, { id }, why) => { told.push(`lost ${id}: ${why}`); },
    changed: () => { rounds += 1; },
  });
  return { clock, source, book, told, rounds: () => rounds, calls: () => source.of(work).calls, events: () => source.of(work).events };
}

describe('credit', () => {
  it('is what was delivered so far and what is free by the newest plan', () => {
    const { book, calls, events } = aBook();
    book.wish(key, [wish(2)]);
    events().leased(aDelivery('a'));
    book.wish(key, [wish(1)]);
    events().leased(aDelivery('b'));
    book.wish(key, [wish(3)]);
    expect(calls()).toEqual(['credit 2', 'credit 5']);
  });

  it('is not given where nothing is free', () => {
    const { book, calls } = aBook();
    book.wish(key, [wish(0)]);
    expect(calls()).toEqual([]);
  });

  it('that was not used is taken back where less is free now', () => {
    const { book, calls, events } = aBook();
    book.wish(key, [wish(5)]);
    events().leased(aDelivery('a'));
    book.wish(key, [wish(0)]);
    book.wish(key, [wish(0)]);
    book.wish(key, [wish(2)]);
    book.wish(key, [wish(1)]);
    expect(calls()).toEqual(['credit 5', 'pause', 'credit 3', 'pause', 'credit 2']);
  });

  it('does not count what was taken over by its receipt', () => {
    const { book, calls, events } = aBook();
    book.wish(key, [wish(1)]);
    events().leased(aDelivery('a', { adopted: true }));
    events().leased(aDelivery('b', { message: undefined }));
    book.wish(key, [wish(1)]);
    expect(calls()).toEqual(['credit 1']);
  });
});

describe('leases in hand', () => {
  it('are told the oldest first, by the clock of this process, with their queue', () => {
    const { book, clock, events, told, rounds } = aBook();
    book.wish(key, [wish(2)]);
    clock.setWallClock(noon + 5);
    events().leased(aDelivery('late', { since: 1 }));
    clock.setWallClock(noon + 2);
    events().leased(aDelivery('early', { since: 3 }));
    expect(book.leases(key).map(({ id, since, source }) => [id, since, source])).toEqual([['early', noon + 2, sourceText(work)], ['late', noon + 5, sourceText(work)]]);
    expect([told, rounds(), book.count(key), book.holds(key, 'late'), book.holds(key, 'other')]).toEqual([['leased late', 'leased early'], 2, 2, true, false]);
  });

  it('that end by themselves are told and bring a round; those that were settled do not', () => {
    const { book, events, told, rounds } = aBook();
    book.wish(key, [wish(2)]);
    events().leased(aDelivery('a'));
    events().leased(aDelivery('b'));
    book.settled(key, 'token-a');
    events().lost('token-a', 'expired');
    events().lost('token-b', 'the connection broke');
    expect([told.slice(2), rounds(), book.count(key)]).toEqual([['lost b: the connection broke'], 3, 0]);
  });

  it('that the queue calls somebody else\'s are lost', () => {
    const { book, events, told } = aBook();
    book.wish(key, [wish(1)]);
    events().leased(aDelivery('a'));
    book.drop(key, 'token-a', 'not ours');
    expect([told, book.get(key, 'token-a')]).toEqual([['leased a', 'lost a: not ours'], undefined]);
  });

  it('count once, however often a source tells of them', () => {
    const { book, calls, events } = aBook();
    book.wish(key, [wish(3)]);
    events().leased(aDelivery('a'));
    events().leased(aDelivery('a'));
    book.wish(key, [wish(2)]);
    expect([calls(), book.count(key)]).toEqual([['credit 3'], 1]);
  });
});

describe('what plans demand', () => {
  const a = { id: 'a', receipt: { handle: '1' } };

  it('is adopted once for each receipt', () => {
    const { book, calls } = aBook();
    book.wish(key, [wish(0, { adopt: [a] })]);
    book.wish(key, [wish(0, { adopt: [a, { id: 'b', receipt: {} }] })]);
    book.wish(key, [wish(0, { adopt: [{ id: 'a', receipt: { handle: '2' } }] })]);
    expect(calls()).toEqual(['adopt a', 'adopt b', 'adopt a']);
  });

  it('is adopted once more when the queue could not be reached meanwhile', () => {
    const { book, calls, events } = aBook();
    book.wish(key, [wish(0, { adopt: [a] })]);
    events().state(openSource);
    book.wish(key, [wish(0, { adopt: [a] })]);
    book.wish(key, [wish(0, { adopt: [a] })]);
    expect(calls()).toEqual(['adopt a', 'adopt a']);
  });
});

describe('a subscription', () => {
  it('tells its state, and brings a round when it is another', () => {
    const { book, events, rounds } = aBook();
    book.wish(key, [wish(1)]);
    events().state(openSource);
    events().state({ ...openSource });
    const closed = { kind: 'closed', reason: 'QueueNotFound', message: 'there is no queue "work"' } as const;
    events().state(closed);
    expect([book.states(key), rounds()]).toEqual([new Map([[sourceText(work), closed]]), 2]);
  });

  it('may tell its state before it is in hand', () => {
    const source = new FakeMessages();
    source.opening = openSource;
    const { book } = aBook(source);
    book.wish(key, [wish(1)]);
    expect(book.states(key)).toEqual(new Map([[sourceText(work), openSource]]));
  });

  it('ends when no plan wishes it any more, with all that is in hand', () => {
    const { book, calls, events, told } = aBook();
    book.wish(key, [wish(1)]);
    events().leased(aDelivery('a'));
    book.wish(key, []);
    events().leased(aDelivery('b'));
    expect([calls(), told, book.has(key), book.count(key)]).toEqual([['credit 1', 'close'], ['leased a'], false, 0]);
  });

  it('goes on where the same queue is named by what was written down', () => {
    const { book, source, calls } = aBook();
    book.wish(key, [wish(1, { source: { type: 'pgBoss', connection: 'main', queue: 'work', schema: undefined } })]);
    book.wish(key, [wish(2, { source: JSON.parse('{"queue":"work","connection":"main","type":"pgBoss"}') as typeof work })]);
    expect([source.subscriptions.length, calls()]).toEqual([1, ['credit 1', 'credit 2']]);
  });

  it('begins anew where the queue is to be used in another way', () => {
    const { book, source } = aBook();
    const amqp = { type: 'amqp', connection: 'main', queue: 'work', vhost: undefined, declare: undefined, messageId: undefined } as const;
    book.wish(key, [wish(1, { source: amqp })]);
    book.wish(key, [wish(1, { source: { ...amqp, messageId: 'bodyHash' } })]);
    expect(source.subscriptions.map(({ calls }) => calls)).toEqual([['credit 1', 'close'], ['credit 1']]);
  });

  it('is one for each queue and each spec', () => {
    const { book, source } = aBook();
    book.wish(key, [wish(1), wish(0, { source: pgBossSource('before') })]);
    book.wish({ ...key, name: 'other' }, [wish(1)]);
    expect(source.subscriptions.map(({ source: of }) => of.queue)).toEqual(['work', 'before', 'work']);
  });

  it('gives everything back at the end', async () => {
    const { book, source } = aBook();
    book.wish(key, [wish(1), wish(0, { source: pgBossSource('before') })]);
    await book.close();
    expect([source.subscriptions.map(({ calls }) => calls.at(-1)), book.has(key)]).toEqual([['close', 'close'], false]);
  });
});

it('leaves leases to their end that the next process is to go on with', async () => {
  const { book, calls, events } = aBook();
  book.wish(key, [wish(2)]);
  events().leased(aDelivery('a'));
  events().leased(aDelivery('b'));
  await book.close(({ name }) => new Set(name === 'work' ? ['a', 'c'] : []));
  expect(calls()).toEqual(['credit 2', 'abandon token-a', 'close']);
});

it('without queues to lease from, a subscription says so', () => {
  const book = new LeaseBook({ clock: new FakeClock(), source: noMessages, leased: () => undefined, lost: () => undefined, changed: () => undefined });
  book.wish(key, [wish(1, { adopt: [{ id: 'a', receipt: {} }] })]);
  expect(book.states(key).get(sourceText(work))).toMatchObject({ kind: 'closed', reason: 'QueueUnsupported' });
});
