import { describe, expect, it } from 'vitest';
import type { SettleMessage } from '../../../../src/plan/messages/action.ts';
import { mergeHistories } from '../../../../src/plan/messages/history.ts';
import type { ObservedJob } from '../../../../src/plan/observed.ts';
import { HistoryKeeper } from '../../../../src/reconcile/messages/history-keeper.ts';
import { aClaim, aConfigMap, aFile, minutes, noon, seconds } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeLeadership, FakeLog, refusal } from '../../../support/fakes.ts';
import { aHistory, anEntry, FakeHistories } from '../../../support/histories.ts';
import { aMessageJob, aMessageQueueSpec, anEndedMessageJob, observedMessages, orders, settledAs } from '../../../support/message-builders.ts';

const spec = aMessageQueueSpec();
const observed = (jobs: readonly ObservedJob[], claims = [aClaim(spec, aConfigMap({ name: 'orders', uid: 'uid-orders' }))]) => ({ ...observedMessages(spec, {}, { jobs, claims }) });
const settled = (id: string, at = noon): ObservedJob => anEndedMessageJob(id, 'succeeded', { settled: settledAs('completed', at) });
const key = observed([]).key;
const invalid = (id: string): SettleMessage => ({ kind: 'settle', reason: 'MessageInvalid', because: 'the body is no JSON', source: orders, id, job: undefined, token: 't', receipt: {}, how: { kind: 'fail', failure: { reason: 'MessageInvalid', message: '', job: undefined, attempt: 1 }, delay: 0 } });

function aKeeper(histories = new FakeHistories()) {
  const [clock, log, leadership] = [new FakeClock(noon), new FakeLog(), new FakeLeadership()];
  const keeper = new HistoryKeeper({ clock, histories, leadership, log });
  /** A round saw this, and so much time passed. */
  const saw = async (jobs: readonly ObservedJob[], time = 0, claims?: Parameters<typeof observed>[1]): Promise<void> => {
    keeper.saw(observed(jobs, claims));
    await clock.advance(time);
  };
  return { clock, log, leadership, histories, keeper, saw };
}

describe('writing', () => {
  it('begins at once after a quiet time, and then gathers for ten seconds', async () => {
    const { histories, saw } = aKeeper();
    await saw([settled('a')]);
    expect([histories.requests, histories.ids]).toEqual([['read', 'create'], ['a']]);
    await saw([settled('a'), settled('b')], seconds(4));
    await saw([settled('a'), settled('b'), settled('c', noon + 1)], seconds(5));
    expect(histories.ids).toEqual(['a']);
    await saw([settled('a'), settled('b'), settled('c', noon + 1)], seconds(1));
    expect([histories.requests.filter((kind) => kind !== 'read'), histories.ids]).toEqual([['create', 'write'], ['c', 'b', 'a']]);
  });

  it('keeps what is gone from view', async () => {
    const { histories, saw } = aKeeper();
    await saw([settled('a')], seconds(20));
    await saw([settled('b', noon + 1)], seconds(20));
    expect(histories.ids).toEqual(['b', 'a']);
  });

  it('asks nothing of anybody while nothing new is settled, and leaves no timer behind', async () => {
    const { histories, clock, saw } = aKeeper();
    for (let round = 0; round < 5; round += 1) await saw([settled('a'), aMessageJob('b')], seconds(15));
    expect([histories.requests, clock.pending]).toEqual([['read', 'create'], []]);
  });

  it('tells the end of a Job whose message was settled when it was created', async () => {
    const { histories, saw } = aKeeper();
    const createdAt = noon - seconds(9);
    await saw([aMessageJob('a', { createdAt, settled: settledAs('taken') })], seconds(20));
    expect(histories.held?.history?.entries[0]?.job?.outcome).toBeUndefined();
    await saw([anEndedMessageJob('a', 'failed', { createdAt, settled: settledAs('taken') })], seconds(20));
    expect(histories.held?.history?.entries[0]?.job?.outcome).toBe('failed');
  });

  it('writes nothing where all of it stands there already, as after a restart', async () => {
    const before = aKeeper();
    await before.saw([settled('a')]);
    const after = aKeeper(before.histories);
    await after.saw([settled('a')], seconds(20));
    expect(after.histories.requests).toEqual(['read', 'create', 'read']);
  });

  it('merges with what somebody else wrote meanwhile', async () => {
    const { histories, saw } = aKeeper();
    await saw([settled('a')], seconds(20));
    histories.meanwhile = () => { histories.put(mergeHistories(histories.held?.history ?? aHistory([]), aHistory([anEntry('theirs', { settledAt: noon + 5 })]))); };
    await saw([settled('a'), settled('b', noon + 1)], seconds(20));
    expect(histories.ids).toEqual(['theirs', 'b', 'a']);
  });

  it('merges with a history that somebody else began meanwhile', async () => {
    const { histories, saw } = aKeeper();
    histories.meanwhile = () => { histories.put(aHistory([anEntry('theirs', { settledAt: noon + 5 })])); };
    await saw([settled('a')]);
    expect(histories.ids).toEqual(['theirs', 'a']);
  });

  it('is tried again where it came to nothing, with growing pauses, until it comes through', async () => {
    const { histories, saw, clock } = aKeeper();
    histories.answers.create = [refusal('unknown'), refusal('quota'), refusal('unknown')];
    await saw([settled('a')]);
    await clock.advance(seconds(10 + 20) + 1);
    expect(histories.requests.filter((kind) => kind === 'create')).toHaveLength(3);
    expect(histories.ids).toEqual([]);
    await clock.advance(seconds(40));
    expect(histories.ids).toEqual(['a']);
  });

  it('begins anew where somebody spoiled it, and says so', async () => {
    const { histories, saw } = aKeeper();
    histories.put(aHistory([]));
    histories.held = histories.held && { ...histories.held, history: undefined };
    await saw([settled('a', noon - 5)]);
    expect(histories.held?.history).toMatchObject({ entries: [{ id: 'a' }], since: noon });
  });

  it('waits until the history of before is gone', async () => {
    const { histories, saw, clock } = aKeeper();
    histories.put(aHistory([anEntry('old')]));
    histories.held = histories.held && { ...histories.held, deleting: true };
    await saw([settled('a')]);
    histories.held = undefined;
    await clock.advance(seconds(20));
    expect(histories.ids).toEqual(['a']);
  });
});

describe('a message that got no Job', () => {
  it('is told of once it was settled, with why', async () => {
    const { histories, keeper, clock, saw } = aKeeper();
    await saw([]);
    keeper.settled(key, invalid('a'));
    await clock.advance(seconds(20));
    expect(histories.held?.history?.entries).toEqual([expect.objectContaining({ id: 'a', as: 'returned', reason: 'MessageInvalid', detail: 'the body is no JSON' })]);
  });

  it('is written when the process stops in order, since the next one could not find it out', async () => {
    const { histories, keeper, saw } = aKeeper();
    await saw([settled('b')]);
    keeper.settled(key, invalid('a'));
    await keeper.stop();
    expect(histories.ids).toEqual(['b', 'a']);
  });

  it('is written when nothing is left of its queue', async () => {
    const { histories, keeper, clock, saw } = aKeeper();
    await saw([settled('b')]);
    keeper.settled(key, invalid('a'));
    keeper.forget(key);
    await clock.advance(1);
    expect([histories.ids, clock.pending]).toEqual([['b', 'a'], []]);
  });

  it('holds up nobody who stops while the API server does not answer', async () => {
    const { histories, keeper, clock, saw } = aKeeper();
    await saw([settled('b')]);
    keeper.settled(key, invalid('a'));
    histories.read = () => new Promise(() => undefined);
    let stopped = false;
    void keeper.stop().then(() => { stopped = true; });
    await clock.advance(seconds(2));
    expect(stopped).toBe(false);
    await clock.advance(seconds(2));
    expect(stopped).toBe(true);
  });
});

describe('its owner', () => {
  const named = (name: string) => [aClaim(spec, aConfigMap({ name, uid: `uid-${name}` }))];

  it('is what defines the queue, and it is handed over together with the queue', async () => {
    const { histories, saw } = aKeeper();
    await saw([settled('a')], seconds(20));
    expect(histories.owner?.uid).toBe('uid-orders');
    await saw([settled('a')], seconds(20), named('renamed'));
    expect([histories.owner, histories.ids]).toEqual([{ name: 'renamed', uid: 'uid-renamed' }, ['a']]);
  });

  it('is nobody where the queue is defined by a file', async () => {
    const { histories, saw } = aKeeper();
    await saw([settled('a')], 0, [aClaim(spec, aFile())]);
    expect([histories.owner, histories.ids]).toEqual([undefined, ['a']]);
  });

  it('would never come, where nothing defines the queue: then no history is begun, and one that is there goes on', async () => {
    const { histories, saw } = aKeeper();
    await saw([settled('a')], seconds(20), []);
    expect(histories.requests).toEqual(['read']);
    histories.put(aHistory([]), { name: 'orders', uid: 'uid-orders' });
    await saw([settled('a'), settled('b', noon - 1)], seconds(20), []);
    expect([histories.owner?.uid, histories.ids]).toEqual(['uid-orders', ['b']]);
  });
});

describe('without the right', () => {
  it('it is off, which is said once, and tried again after a while', async () => {
    const { histories, log, saw } = aKeeper();
    histories.answers.read = [{ kind: 'failed', message: 'configmaps is forbidden', forbidden: true }];
    histories.answers.create = [refusal('forbidden', 'configmaps is forbidden')];
    for (let round = 0; round < 4; round += 1) await saw([settled('a')], minutes(1));
    expect(histories.requests).toEqual(['read']);
    await saw([settled('a')], minutes(2));
    await saw([settled('a')], minutes(3));
    expect(histories.requests).toEqual(['read', 'read', 'create']);
    await saw([settled('a')], minutes(5));
    await saw([settled('a')], seconds(1));
    expect(histories.ids).toEqual(['a']);
    expect(log.lines.filter(({ level }) => level !== 'debug').map(({ level, fields }) => [level, fields])).toEqual([['info', { because: 'configmaps is forbidden' }]]);
  });
});

describe('a replica that does not lead', () => {
  it('writes nothing, and begins anew when it leads', async () => {
    const { histories, leadership, keeper, clock, saw } = aKeeper();
    await saw([settled('a')], seconds(20));
    keeper.saw(observed([settled('a'), settled('b', noon + 1)]));
    leadership.change(false);
    await clock.advance(seconds(20));
    keeper.startAnew();
    expect([histories.ids, clock.pending]).toEqual([['a'], []]);
    leadership.change(true);
    await saw([settled('b', noon + 1)], seconds(20));
    expect(histories.ids).toEqual(['b', 'a']);
  });
});
