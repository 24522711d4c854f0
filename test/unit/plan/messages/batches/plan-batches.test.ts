import { describe, expect, it } from 'vitest';
import { objectAt } from '../../../../../src/lib/json.ts';
import type { StartBatch } from '../../../../../src/plan/messages/action.ts';
import type { ObservedJob } from '../../../../../src/plan/observed.ts';
import type { Plan } from '../../../../../src/plan/action.ts';
import { aJob, aPod, minutes, noon, seconds } from '../../../../support/builders.ts';
import { aLease, aMessage, aMessageQueueSpec, aNote, freeOf, observedMessages, orders, rabbitOrders, said } from '../../../../support/message-builders.ts';
import { planAt } from '../../../../support/planning.ts';

const spec = aMessageQueueSpec({ mode: 'perBatch', batch: { size: 3, maxWait: seconds(10) }, concurrency: { max: 2 } });
const leases = (...ids: readonly string[]) => ids.map((id) => aLease(id));
const batchesOf = ({ messages = [] }: Plan): StartBatch[] => messages.filter((action) => action.kind === 'startBatch');
const idsOf = (plan: Plan): string[][] => batchesOf(plan).map(({ messages }) => messages.map(({ id }) => id));

function anOpenBatch(ids: readonly string[], changes: Partial<ObservedJob> = {}, source = orders): ObservedJob {
  return { ...aJob({ name: 'orders-open', suspended: true, startedAt: undefined, pods: [], createdAt: noon - seconds(5), sequence: undefined, ...changes }), batch: { notes: ids.map((id) => aNote(id, { source, receipt: { id } })), settled: new Map(), committed: false } };
}

describe('messages in hand become a batch', () => {
  it('when as many are there as the spec says, the oldest first', () => {
    expect(idsOf(planAt(observedMessages(spec, { leases: leases('a', 'b', 'c', 'd') })))).toEqual([['a', 'b', 'c']]);
  });

  it('when the first has waited long enough, and not before', () => {
    const plan = planAt(observedMessages(spec, { leases: leases('a', 'b') }));
    expect([idsOf(plan), plan.wakeAt]).toEqual([[], noon + seconds(5)]);
    expect(idsOf(planAt(observedMessages(spec, { leases: leases('a', 'b') }), noon + seconds(5)))).toEqual([['a', 'b']]);
  });

  it('when no more bytes fit', () => {
    const large = (id: string) => aLease(id, { message: aMessage(id, { body: 'x'.repeat(400 * 1024) }) });
    expect(idsOf(planAt(observedMessages({ ...spec, batch: { size: 100, maxWait: minutes(1) } }, { leases: ['a', 'b', 'c'].map(large) })))).toEqual([['a', 'b']]);
  });

  it('when no more notes fit', () => {
    const long = (index: number) => `${index}`.padStart(1000, 'x');
    const many = Array.from({ length: 400 }, (_, index) => aLease(long(index)));
    const [first] = batchesOf(planAt(observedMessages({ ...spec, batch: { size: 1000, maxWait: 0 } }, { leases: many })));
    const annotations = objectAt(objectAt(first?.manifest, 'metadata'), 'annotations');
    expect(first?.messages.length).toBeGreaterThan(100);
    expect(Buffer.byteLength(JSON.stringify(annotations))).toBeLessThan(210 * 1024);
  });

  it('never in more Jobs than the spec says, or the limits of the instance leave', () => {
    const many = leases('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i');
    expect(idsOf(planAt(observedMessages(spec, { leases: many })))).toEqual([['a', 'b', 'c'], ['d', 'e', 'f']]);
    const room = { jobs: 1, halted: false, shortage: { state: 'Waiting', reason: 'LimitReached', message: '' } } as const;
    const plan = planAt(observedMessages(spec, { leases: many }, { room }));
    expect([idsOf(plan).length, plan.wants]).toEqual([1, 1]);
  });

  it('without those that are invalid, which are settled by themselves', () => {
    const strict = { ...spec, perMessage: { ...spec.perMessage, schema: { type: 'object', required: ['order'] } } };
    const plan = planAt(observedMessages(strict, { leases: [aLease('a'), aLease('x', { message: aMessage('x', { body: '{}' }) }), aLease('b'), aLease('c')] }));
    expect([idsOf(plan), said(plan)[0]]).toEqual([[['a', 'b', 'c']], 'settle MessageInvalid x fail']);
  });

  it('once each, however often one is in hand', () => {
    expect(idsOf(planAt(observedMessages(spec, { leases: [aLease('a'), aLease('a', { token: 'again' }), aLease('b'), aLease('c')] })))).toEqual([['a', 'b', 'c']]);
  });

  it('as an Indexed Job that is suspended, with a pod and a file for each', () => {
    const [start] = batchesOf(planAt(observedMessages(spec, { leases: leases('a', 'b', 'c') })));
    expect(start?.manifest['spec']).toMatchObject({ suspend: true, completionMode: 'Indexed', completions: 3, parallelism: 3, backoffLimitPerIndex: 0 });
    expect(objectAt(start?.manifest, 'spec')['backoffLimit']).toBeUndefined();
    expect(Object.keys(objectAt(start?.payload, 'data'))).toEqual(['0', '1', '2', 'id.0', 'id.1', 'id.2']);
  });

  it('under the same name for the same messages, and with another Secret each time', () => {
    const at = (now: number) => batchesOf(planAt(observedMessages(spec, { leases: leases('a', 'b', 'c') }), now))[0];
    expect(at(noon)?.jobName).toBe(at(noon + 1)?.jobName);
    expect(objectAt(at(noon)?.payload, 'metadata')['name']).not.toBe(objectAt(at(noon + 1)?.payload, 'metadata')['name']);
  });
});

describe('leases of a queue with batches', () => {
  it.each([
    ['all places, times size', {}, {}, 6],
    ['less those in hand', { leases: leases('a') }, {}, 5],
    ['less the places of Jobs that start now, however few messages they have', { leases: [aLease('a', { since: noon - minutes(1) })] }, {}, 3],
    ['less names that are asked for', {}, { reservations: [{ jobName: 'x', state: 'pending' as const }] }, 3],
    ['no more than the limits of the instance leave', {}, { room: { jobs: 1, halted: false, shortage: { state: 'Waiting' as const, reason: 'LimitReached' as const, message: '' } } }, 3],
  ])('%s', (_sentence, view, changes, free) => {
    expect(freeOf(planAt(observedMessages(spec, view, changes)))).toBe(free);
  });
});

describe('a batch that was never let go', () => {
  const kinds = (plan: Plan) => (plan.messages ?? []).map(({ kind }) => kind);

  it('keeps its messages from being started, and is dropped where one of them is in hand', () => {
    const plan = planAt(observedMessages(spec, { leases: leases('a', 'b', 'c') }, { jobs: [anOpenBatch(['a', 'b'], {}, rabbitOrders)] }));
    expect([kinds(plan), idsOf(plan)]).toEqual([['dropBatch'], []]);
  });

  it('is left to its process for a while where none is in hand', () => {
    const jobs = [anOpenBatch(['a', 'b'], {}, rabbitOrders)];
    const plan = planAt(observedMessages(spec, {}, { jobs }));
    expect([kinds(plan), plan.wakeAt]).toEqual([[], noon + seconds(25)]);
    expect(kinds(planAt(observedMessages(spec, {}, { jobs }), noon + seconds(25)))).toEqual(['dropBatch']);
  });

  it('of pg-boss: what its process held is taken over first, for a while', () => {
    const jobs = [anOpenBatch(['a', 'b'])];
    const adopting = planAt(observedMessages(spec, {}, { jobs }), noon + seconds(26));
    expect([kinds(adopting), adopting.leases?.map(({ adopt }) => adopt.map(({ id }) => id))]).toEqual([[], [['a', 'b']]]);
    expect(kinds(planAt(observedMessages(spec, {}, { jobs }), noon + seconds(36)))).toEqual(['dropBatch']);
  });

  it('is left alone while something is asked about it here, or it is being deleted', () => {
    expect(kinds(planAt(observedMessages(spec, { leases: leases('a'), underWay: new Set(['a', 'b']) }, { jobs: [anOpenBatch(['a', 'b'])] })))).toEqual([]);
    expect(kinds(planAt(observedMessages(spec, { leases: leases('a') }, { jobs: [anOpenBatch(['a', 'b'], { deleting: true })] })))).toEqual([]);
  });

  it('is none any more once a container of it has started', () => {
    const pods = [aPod({ started: true, phase: 'Running' })];
    expect(kinds(planAt(observedMessages(spec, { leases: leases('a') }, { jobs: [anOpenBatch(['a', 'b'], { suspended: false, pods })] })))).toEqual([]);
  });

  it('is dropped also when nobody defines the queue any more', () => {
    const plan = planAt(observedMessages(spec, {}, { claims: [], jobs: [anOpenBatch(['a'], {}, rabbitOrders)] }), noon + minutes(1));
    expect(kinds(plan)).toEqual(['dropBatch']);
  });
});
