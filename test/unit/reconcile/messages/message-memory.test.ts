import { expect, it } from 'vitest';
import { MessageMemory } from '../../../../src/reconcile/messages/message-memory.ts';
import { aJob, minutes, noon } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeCache } from '../../../support/fakes.ts';
import type { SettledNote } from '../../../../src/plan/messages/message.ts';
import { aMessageNote } from '../../../support/message-fakes.ts';

const no = (): boolean => false;
const hour = minutes(60);

const aNote = (id: string, serial: number) => aMessageNote({ id, serial });

function aMemory() {
  const clock = new FakeClock(noon);
  const cache = new FakeCache();
  return { clock, cache, memory: new MessageMemory({ clock, cache }) };
}

it('of a write lasts until the cache shows it, or nobody can believe any more that it will', async () => {
  const { clock, cache, memory } = aMemory();
  memory.wrote('a', '10');
  memory.wrote('b', '20');
  cache.seen = 15;
  expect(memory.unseen()).toEqual(['b']);
  await clock.advance(minutes(5) + 1);
  expect(memory.unseen()).toEqual([]);
});

it('of a receipt that is worth nothing lasts until its message is in hand again', () => {
  const { memory } = aMemory();
  memory.lostReceipt({ uid: 'uid-1' }, 'a');
  memory.lostReceipt({ uid: 'uid-2' }, 'b');
  memory.leased('a');
  expect([...memory.lost]).toEqual(['uid-2']);
});

it('of a refusal outlives the lease for a while, and goes when something is accepted', async () => {
  const { clock, memory } = aMemory();
  for (const id of ['a', 'b', 'c']) memory.refused(id, { kind: 'quota', hash: 'hash-1', message: 'full' });
  memory.accepted('c');
  await clock.advance(hour - 1);
  memory.tidy([], no);
  expect([...memory.refusals.keys()]).toEqual(['a', 'b']);
  await clock.advance(2);
  memory.tidy([], (id) => id === 'a');
  expect([...memory.refusals.keys()]).toEqual(['a']);
});

it('of refusals begins anew with another kind and another revision', () => {
  const { memory } = aMemory();
  const counts = [['quota', '1'], ['quota', '1'], ['forbidden', '1'], ['forbidden', '2'], ['forbidden', '2']].map(([kind, hash = '']) => {
    memory.refused('a', { kind: kind === 'quota' ? 'quota' : 'forbidden', hash, message: '' });
    return memory.refusals.get('a')?.count;
  });
  expect(counts).toEqual([1, 2, 1, 1, 2]);
});

it('of refusals knows how often somebody else was started after one, and that no quota is full then', () => {
  const { memory } = aMemory();
  const refuse = (id: string, kind: 'refused' | 'quota', hash = '1'): void => { memory.refused(id, { kind, hash, message: '' }); };
  const confirmed = (): unknown => memory.refusals.get('a')?.confirmed;
  refuse('a', 'refused');
  refuse('b', 'quota');
  refuse('c', 'quota', '2');
  memory.accepted('x');
  expect([confirmed(), [...memory.refusals.keys()]]).toEqual([0, ['a', 'b', 'c']]);
  memory.accepted('y', '1');
  memory.accepted('z', '1');
  expect([confirmed(), [...memory.refusals.keys()]]).toEqual([1, ['a', 'c']]);
  refuse('a', 'refused');
  expect(confirmed()).toBe(1);
  memory.accepted('z', '1');
  expect(confirmed()).toBe(2);
  refuse('a', 'refused', '3');
  expect(confirmed()).toBe(0);
});

it('of a Job that was deleted has its newest note, until another Job follows', () => {
  const { memory } = aMemory();
  memory.jobGone(aNote('a', 2));
  memory.jobGone(aNote('a', 1));
  memory.tidy([aJob({ message: { note: aNote('a', 2), settled: undefined } })], no);
  expect(memory.deleted.get('a')?.serial).toBe(2);
  memory.tidy([aJob({ message: { note: aNote('a', 3), settled: undefined } })], no);
  expect(memory.deleted.size).toBe(0);
});

it('of a Job that was deleted goes with its message', async () => {
  const { clock, memory } = aMemory();
  memory.jobGone(aNote('a', 1));
  memory.jobGone(aNote('b', 1));
  await clock.advance(hour + 1);
  memory.tidy([], (id) => id === 'a');
  expect([...memory.deleted.keys()]).toEqual(['a']);
});

it('of what is stored is let go with the Jobs, not with each of them', () => {
  const { memory } = aMemory();
  for (let index = 0; index < 300; index += 1) memory.posted.add(`uid-${index}`);
  memory.lostReceipt({ uid: 'uid-gone' }, 'a');
  const jobs = [aJob({ uid: 'uid-7' })];
  memory.tidy([...jobs, ...Array.from({ length: 100 }, () => aJob())], no);
  expect(memory.posted.size).toBe(300);
  memory.tidy(jobs, no);
  expect([[...memory.posted], memory.lost.size]).toEqual([['uid-7'], 0]);
});

it('of what keeps a message from being settled is told when it lasts, until the message is settled', () => {
  const { memory } = aMemory();
  for (let count = 1; count <= 8; count += 1) memory.troubled('a', 'there is no such queue');
  expect(memory.troubles.size).toBe(0);
  memory.troubled('a', 'there is no such queue');
  expect([...memory.troubles]).toEqual([['a', 'there is no such queue']]);
  memory.eased('a');
  memory.troubled('a', 'timed out');
  expect(memory.troubles.size).toBe(0);
});

it('of what kept a message from being settled is gone when somebody else has settled it', () => {
  const { memory } = aMemory();
  for (let count = 1; count <= 9; count += 1) memory.troubled('a', 'access refused');
  const job = (settled: SettledNote | undefined) => ({ uid: 'uid-a', message: { note: aNote('a', 1), settled } });
  memory.tidy([], (id) => id === 'a');
  memory.tidy([job(undefined)], () => false);
  expect(memory.troubles.size).toBe(1);
  memory.tidy([job({ as: 'completed', at: noon })], () => false);
  expect(memory.troubles.size).toBe(0);
});
