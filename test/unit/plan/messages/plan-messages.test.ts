import { describe, expect, it } from 'vitest';
import { unlimited, type Room } from '../../../../src/plan/limits/room.ts';
import { sourceText } from '../../../../src/spec/queue-source.ts';
import { aBrokenClaim, aClaim, aPod, aQueueSpec, aRefusal, aRunningPod, hours, minutes, noon, observed, passed, seconds, verdict } from '../../../support/builders.ts';
import { aLease, aMessageJob, aMessageQueueSpec, aMessagesView, anEndedMessageJob, anOpenSource, freeOf, observedMessages, orders, rabbitOrders, said, settledAs, startsOf } from '../../../support/message-builders.ts';
import { acts, planAt, standing } from '../../../support/planning.ts';

const spec = aMessageQueueSpec();
const endless = aMessageQueueSpec({ concurrency: { max: Infinity } });
const leases = (...ids: readonly string[]) => ids.map((id) => aLease(id));
const live = (id: string) => aMessageJob(id, { pods: [aRunningPod()] });
const room = (jobs: number, changes: Partial<Room> = {}): Room => ({ ...unlimited, jobs, shortage: { state: 'Waiting', reason: 'LimitReached', message: '5 of 5 Jobs are live' }, ...changes });
const sources = (state: ReturnType<typeof aMessagesView>['sources'] extends ReadonlyMap<string, infer S> ? S : never) => new Map([[sourceText(orders), state]]);
const notStarted = (count: number, at = noon) => Array.from({ length: count }, (_, index) => anEndedMessageJob(`n${index}`, 'notStarted', { settled: settledAs('kept'), at: at - minutes(index) }));

describe('what a queue stands at', () => {
  it.each([
    ['it waits for messages', observedMessages(spec), 'Idle', 'QueueListening', 'waits for messages'],
    ['Jobs are live', observedMessages(spec, {}, { jobs: [live('a'), live('b')] }), 'Running', 'MessagesRunning', '2 Jobs are live'],
    ['a Job is being created', observedMessages(spec, {}, { reservations: [{ jobName: 'x', state: 'created' }] }), 'Starting', 'MessageReceived', 'Jobs are being created for messages'],
    ['suspend', observedMessages({ ...spec, suspend: true }, {}, { jobs: [live('a')] }), 'Suspended', 'SpecSuspended', 'suspend is true: no Jobs are started'],
    ['observe', observedMessages({ ...spec, observe: true }), 'Idle', 'SpecObserved', 'would lease messages and start a Job for each; observe is true'],
    ['the instance is halted', observedMessages(spec, {}, { room: room(0, { halted: true, shortage: { state: 'Suspended', reason: 'InstanceSuspended', message: 'halted' } }) }), 'Suspended', 'InstanceSuspended', 'halted'],
    ['the template is not checked', observedMessages(spec, {}, { verdict: undefined }), 'Checking', 'SpecChecking', 'the API server is asked whether it would take the Job'],
    ['the template is refused', observedMessages(spec, {}, { verdict: verdict('refused') }), 'Rejected', 'TemplateRefused', 'the API server said so'],
    ['nothing was heard of the queue', observedMessages(spec, { sources: new Map() }), 'Checking', 'SpecChecking', 'the queue is being opened'],
    ['the queue is closed', observedMessages(spec, { sources: sources({ kind: 'closed', reason: 'QueueRefused', message: 'declared otherwise' }) }), 'Blocked', 'QueueRefused', 'declared otherwise'],
    ['creates are refused', observedMessages(spec, { leases: leases('a'), refusals: new Map([['a', aRefusal('quota')]]) }), 'Blocked', 'QuotaExceeded', 'exceeded quota: jobs'],
    ['a Job did not start', observedMessages(spec, {}, { jobs: notStarted(1) }), 'Waiting', 'WaitAfterNotStarted', 'the last Job did not start; the queue is looked at again at 2026-01-01T12:02:00.000Z'],
    ['the breaker is open', observedMessages(spec, {}, { jobs: notStarted(5) }), 'Blocked', 'BreakerOpen', '5 Jobs in a row did not start; the next probe starts at 2026-01-01T12:05:00.000Z'],
    ['the limits are reached', observedMessages(spec, { leases: leases('a') }, { room: room(0) }), 'Waiting', 'LimitReached', '5 of 5 Jobs are live'],
    ['somebody deletes its Jobs', observedMessages(spec, {}, { vanished: { at: noon, count: 1 } }), 'Waiting', 'JobDeleted', 'a Job was deleted before they had finished; the queue is looked at again at 2026-01-01T12:00:01.000Z'],
  ] as const)('%s', (_sentence, view, state, reason, message) => {
    expect(standing(view)).toEqual({ state, reason, message });
  });

  it('says how many Jobs are live, and how many of them are of an older text', () => {
    const { status } = planAt(observedMessages(spec, {}, { jobs: [live('a'), { ...live('b'), specHash: 'hash-0' }] })).statuses[0] ?? {};
    expect(status).toMatchObject({ liveJobs: 2, oldJobs: 1, health: 'Healthy' });
  });

  it('tells of the Job that ended last', () => {
    const jobs = [anEndedMessageJob('b', 'failed', { at: noon, settled: settledAs('returned') }), anEndedMessageJob('a', 'succeeded', { at: noon - 1, settled: settledAs('completed') })];
    expect(planAt(observedMessages(spec, {}, { jobs })).statuses[0]?.status.lastRun).toMatchObject({ job: 'orders-b-1', outcome: 'failed' });
  });
});

describe('how many messages may be leased', () => {
  it.each([
    ['all that concurrency.max says', {}, {}, 10],
    ['less live Jobs', {}, { jobs: [live('a'), live('b')] }, 8],
    ['less messages in hand without a Job, which are started now', { leases: leases('a') }, {}, 9],
    ['but not less messages whose Job is live', { leases: leases('a') }, { jobs: [live('a')] }, 9],
    ['nor those that are to be settled', { leases: leases('a') }, { jobs: [anEndedMessageJob('a', 'succeeded')] }, 10],
    ['less messages about which something is being asked', { leases: leases('a'), underWay: new Set(['a']) }, {}, 9],
    ['but not less messages whose Job is in view, and whose content is still being stored', { leases: leases('a'), underWay: new Set(['a']) }, { jobs: [live('a')] }, 9],
    ['less names that are not in view yet', {}, { reservations: [{ jobName: 'x', state: 'created' as const }] }, 9],
    ['less Jobs that are gone and whose pods live', {}, { orphans: [aPod({ jobUid: 'gone' }), aPod({ name: 'b', jobUid: 'gone' })] }, 9],
    ['never more than the limits of the instance leave', {}, { room: room(3) }, 3],
    ['less those of these that start now', { leases: leases('a') }, { room: room(3) }, 2],
    ['none while the limits leave none', {}, { room: room(0) }, 0],
  ] as const)('%s', (_sentence, view, changes, free) => {
    expect(freeOf(planAt(observedMessages(spec, view, changes)))).toBe(free);
  });

  it('a message whose create is not in view yet takes one place, not two', () => {
    const [start] = startsOf(planAt(observedMessages(spec, { leases: leases('a') })));
    const view = observedMessages(spec, { leases: leases('a') }, { reservations: [{ jobName: start?.jobName ?? '', state: 'pending' }] });
    expect(freeOf(planAt(view))).toBe(9);
  });

  it('a Job that waits for its message to come again leaves the place for it', () => {
    const one = aMessageQueueSpec({ concurrency: { max: 1 } });
    expect(freeOf(planAt(observedMessages(one, {}, { jobs: [aMessageJob('a')] })))).toBe(1);
    expect(freeOf(planAt(observedMessages(one, {}, { jobs: [live('a')] })))).toBe(0);
    expect(said(planAt(observedMessages(one, { leases: leases('b') }, { jobs: [aMessageJob('a')] })))).toEqual([]);
  });

  it('a queue without a limit is not emptied into this process', () => {
    expect(freeOf(planAt(observedMessages(endless)))).toBe(1000);
    const many = Array.from({ length: 400 }, (_, index) => aLease(`m${index}`));
    expect(freeOf(planAt(observedMessages(endless, { leases: many })))).toBe(600);
    expect(freeOf(planAt(observedMessages(endless, { leases: many, underWay: new Set(many.map(({ id }) => id)) })))).toBe(600);
  });

  it('nor by deliveries of one message, nor by messages that cannot be settled', () => {
    const again = Array.from({ length: 1200 }, (_, index) => aLease('a', { token: `${index}` }));
    expect(freeOf(planAt(observedMessages(endless, { leases: again }, { jobs: [live('a')] })))).toBe(0);
    const ended = [anEndedMessageJob('a', 'succeeded'), anEndedMessageJob('b', 'succeeded')];
    expect(freeOf(planAt(observedMessages(endless, { leases: leases('a', 'b'), troubles: new Map([['a', 'timed out']]) }, { jobs: ended })))).toBe(999);
    expect(freeOf(planAt(observedMessages(endless, { leases: leases('a') }, { jobs: [live('a')] })))).toBe(1000);
  });

  it.each([
    ['suspended', observedMessages({ ...spec, suspend: true }, { leases: leases('a') })],
    ['halted', observedMessages(spec, { leases: leases('a') }, { room: room(0, { halted: true }) })],
    ['not checked', observedMessages(spec, { leases: leases('a') }, { verdict: undefined })],
    ['refused', observedMessages(spec, { leases: leases('a') }, { verdict: verdict('denied') })],
    ['closed', observedMessages(spec, { leases: leases('a'), sources: sources({ kind: 'closed', reason: 'QueueUnreachable', message: '' }) })],
    ['limited to less time than a Job may take', observedMessages(spec, { leases: leases('a'), sources: sources(anOpenSource({ leaseLimit: minutes(1), strict: true })) })],
    ['in a wait', observedMessages(spec, { leases: leases('a') }, { jobs: notStarted(1) })],
    ['in a wait after a refusal', observedMessages(spec, { leases: leases('a', 'b'), refusals: new Map([['a', aRefusal('quota')]]) })],
  ])('none, and nothing starts, while the queue is %s', (_sentence, view) => {
    expect(freeOf(planAt(view))).toBe(0);
    expect(said(planAt(view))).toEqual([]);
  });

  it('an observer opens no queue', () => {
    expect(planAt(observedMessages({ ...spec, observe: true })).leases).toBeUndefined();
  });

  it('a text that is broken, or gone, wants none; what is in hand goes back', () => {
    const changes = { messages: aMessagesView({ leases: leases('a') }) };
    expect(planAt(observed({ claims: [aBrokenClaim()], ...changes })).leases).toBeUndefined();
    expect(planAt(observed({ claims: [], ...changes })).leases).toBeUndefined();
    expect(planAt(observed({ claims: [aClaim(aQueueSpec())], ...changes })).leases).toBeUndefined();
  });
});

describe('limits', () => {
  it('no more Jobs are started than concurrency.max, the oldest first', () => {
    const two = aMessageQueueSpec({ concurrency: { max: 2 } });
    expect(said(planAt(observedMessages(two, { leases: leases('b', 'c') }, { jobs: [live('a')] })))).toEqual(['startMessage MessageReceived b']);
  });

  it('nor than the limits of the instance leave: the rest is wanted', () => {
    const plan = planAt(observedMessages(spec, { leases: leases('a', 'b', 'c') }, { room: room(1) }));
    expect(said(plan)).toEqual(['startMessage MessageReceived a']);
    expect(plan.wants).toBe(2);
  });

  it('with nothing in hand one place is wanted, so that a message can come', () => {
    expect(planAt(observedMessages(spec, {}, { room: room(0) })).wants).toBe(1);
    expect(planAt(observedMessages(spec, {}, { room: room(1) })).wants).toBe(0);
    expect(planAt(observedMessages(spec)).wants).toBe(0);
    expect(planAt(observedMessages(spec, {}, { room: room(0, { halted: true }) })).wants).toBe(1);
  });
});

describe('a lease that is too short', () => {
  const blocked = (of: ReturnType<typeof aMessageQueueSpec>, state: Parameters<typeof anOpenSource>[0]): string | undefined => {
    const stand = standing(observedMessages(of, { sources: sources(anOpenSource({ limitName: 'expireInSeconds of queue "orders"', ...state })) }));
    return stand.reason === 'LeaseTooShort' ? stand.message : undefined;
  };
  const timed = (changes: Parameters<typeof aMessageQueueSpec>[0] = {}) => aMessageQueueSpec({ startTimeout: minutes(5), timeout: minutes(10), ...changes });

  it('blocks the queue and says what to change', () => {
    expect(blocked(timed(), { leaseLimit: minutes(15), strict: true })).toBe('a message can be held for 15m (expireInSeconds of queue "orders"), and startTimeout and timeout come to 15m: lower startTimeout or timeout, raise that limit, or set settle: onJobCreated');
    expect(blocked(timed(), { leaseLimit: minutes(15) + 1, strict: true })).toBeUndefined();
  });

  it('counts all attempts with their delays, or what `within` leaves of them', () => {
    const retry = { attempts: 3, delay: minutes(1), factor: 2 };
    expect(blocked(timed({ perMessage: { retry } }), { leaseLimit: minutes(48) })).toContain('3 attempts with startTimeout, timeout and delays come to 48m');
    expect(blocked(timed({ perMessage: { retry } }), { leaseLimit: minutes(48) + 1 })).toBeUndefined();
    expect(blocked(timed({ perMessage: { retry: { ...retry, within: minutes(20) } } }), { leaseLimit: minutes(36) })).toBeUndefined();
  });

  it('is one for a Job without a timeout, where the limit is strict', () => {
    expect(blocked(spec, { leaseLimit: hours(12), strict: true })).toContain('without a timeout its Job may take longer: set timeout, or set settle: onJobCreated');
    expect(blocked(spec, { leaseLimit: hours(12) })).toBeUndefined();
    expect(blocked(spec, { strict: true })).toBeUndefined();
  });

  it('is none where messages are taken as soon as their Jobs are created', () => {
    expect(blocked(timed({ perMessage: { settle: 'onJobCreated' } }), { leaseLimit: 1000, strict: true })).toBeUndefined();
  });
});

describe('waits after Jobs that did not start', () => {
  it('one Job is the probe when the wait is over, and no other until it has ended or started', () => {
    const view = { leases: leases('a', 'b') };
    const jobs = notStarted(1);
    const then = noon + minutes(2);
    expect(planAt(observedMessages(spec, view, { jobs })).wakeAt).toBe(then);
    expect(said(planAt(observedMessages(spec, view, { jobs }), then))).toEqual(['startMessage MessageReceived a']);
    expect(freeOf(planAt(observedMessages(spec, view, { jobs }), then))).toBe(0);
    const probing = [...jobs, aMessageJob('a', { createdAt: then })];
    expect(said(planAt(observedMessages(spec, { ...view, posted: new Set(['uid-orders-a-1']) }, { jobs: probing }), then))).toEqual([]);
    const started = [...jobs, aMessageJob('a', { createdAt: then, pods: [aRunningPod()] })];
    expect(said(planAt(observedMessages(spec, view, { jobs: started }), then))).toEqual(['startMessage MessageReceived b']);
  });

  it('a create that is under way is the probe', () => {
    const view = observedMessages(spec, { leases: leases('a', 'b'), underWay: new Set(['a']) }, { jobs: notStarted(1) });
    expect(said(planAt(view, noon + minutes(2)))).toEqual([]);
  });

  it('with nothing in hand one message is leased for it', () => {
    expect(freeOf(planAt(observedMessages(spec, {}, { jobs: notStarted(1) }), noon + minutes(2)))).toBe(1);
  });

  it('grow to breaker.probeEvery', () => {
    expect([1, 2, 3, 4, 5].map((count) => ((planAt(observedMessages(spec, {}, { jobs: notStarted(count) })).wakeAt ?? 0) - noon) / 60_000)).toEqual([2, 4, 5, 5, 5]);
  });

  it('an edited spec waits for nothing', () => {
    expect(freeOf(planAt(observedMessages(aMessageQueueSpec({ hash: 'hash-2' }), {}, { jobs: notStarted(5), verdict: passed('hash-2') })))).toBe(10);
  });

  it('failures count only for a breaker that counts them, and a success closes it', () => {
    const breaking = aMessageQueueSpec({ breaker: { failed: 2 } });
    const failed = (id: string, at: number) => anEndedMessageJob(id, 'failed', { at, settled: settledAs('returned') });
    const jobs = [failed('a', noon), failed('b', noon - seconds(1))];
    expect(standing(observedMessages(spec, {}, { jobs })).reason).toBe('QueueListening');
    expect(standing(observedMessages(breaking, {}, { jobs }))).toMatchObject({ reason: 'BreakerOpen', message: '2 Jobs in a row failed; the next probe starts at 2026-01-01T12:05:00.000Z' });
    expect(standing(observedMessages(breaking, {}, { jobs: [...jobs, anEndedMessageJob('c', 'succeeded', { at: noon + 1, settled: settledAs('completed') })] })).reason).toBe('QueueListening');
  });
});

describe('creates that are refused', () => {
  it('are tried again one by one, longer each time', () => {
    const view = (count: number) => observedMessages(spec, { leases: leases('a', 'b'), refusals: new Map([['a', aRefusal('quota', { count })], ['b', aRefusal('quota', { count, at: noon - 1 })]]) });
    expect([1, 2, 3].map((count) => ((planAt(view(count)).wakeAt ?? 0) - noon) / 1000)).toEqual([30, 60, 120]);
    expect(said(planAt(view(1), noon + seconds(30)))).toEqual(['startMessage MessageReceived a']);
  });

  it('hold the queue only where several messages in a row are refused, or all are concerned', () => {
    const hit = (...all: readonly (readonly [string, Parameters<typeof aRefusal>[0], number?])[]) => observedMessages(spec, { leases: leases('a', 'b', 'c'), refusals: new Map(all.map(([id, kind, confirmed = 0]) => [id, { ...aRefusal(kind), confirmed }])) });
    const started = (view: ReturnType<typeof hit>) => startsOf(planAt(view)).map(({ id }) => id);
    expect(started(hit(['a', 'refused']))).toEqual(['b', 'c']);
    expect(started(hit(['a', 'taken'], ['b', 'refused']))).toEqual([]);
    expect(started(hit(['a', 'taken', 1], ['b', 'refused', 1]))).toEqual(['c']);
    expect(started(hit(['a', 'taken', 1], ['b', 'refused']))).toEqual(['c']);
    expect([started(hit(['a', 'quota'])), started(hit(['a', 'forbidden']))]).toEqual([[], []]);
  });

  it('of one message pause that one, longer each time, and take no place from others', () => {
    const one = aMessageQueueSpec({ concurrency: { max: 1 } });
    const view = (count: number) => observedMessages(one, { leases: leases('a'), refusals: new Map([['a', aRefusal('refused', { count })]]) });
    expect([1, 2, 3].map((count) => ((planAt(view(count)).wakeAt ?? 0) - noon) / 1000)).toEqual([30, 60, 120]);
    expect([freeOf(planAt(view(1))), said(planAt(view(1)))]).toEqual([1, []]);
    expect(standing(view(1))).toEqual({ state: 'Waiting', reason: 'CreateRefused', message: 'a message is tried again later, and others as they come: exceeded quota: jobs' });
    expect([freeOf(planAt(view(1), noon + seconds(30))), said(planAt(view(1), noon + seconds(30)))]).toEqual([0, ['startMessage MessageReceived a']]);
  });

  it('are held beside the places of concurrency.max, as many as that says, and ten at least', () => {
    const held = (max: number, count: number) => {
      const ids = Array.from({ length: count }, (_, index) => `m${index}`);
      return freeOf(planAt(observedMessages(aMessageQueueSpec({ concurrency: { max } }), { leases: leases(...ids), refusals: new Map(ids.map((id) => [id, { ...aRefusal('refused'), confirmed: 1 }])) })));
    };
    expect([held(1, 10), held(1, 11), held(20, 20), held(20, 25)]).toEqual([1, 0, 20, 15]);
  });

  it('one message in hand of several that are refused does not keep others from being leased and tried when the pause is over', () => {
    const view = observedMessages(spec, { leases: leases('a', 'b'), refusals: new Map([['a', aRefusal('refused')], ['b', aRefusal('refused')]]) });
    expect([freeOf(planAt(view)), freeOf(planAt(view, noon + seconds(30)))]).toEqual([0, 1]);
    expect(said(planAt(view, noon + seconds(30)))).toEqual(['startMessage MessageReceived a']);
  });

  it.each<[string, Parameters<typeof aMessageQueueSpec>[0], string]>([
    ['goes where dead ones go', { perMessage: { deadLetter: { queue: 'dead' } } }, 'dead'],
    ['goes the way that the queue has for failures', {}, 'fail'],
  ])('of one message, as often as the breaker counts and with others started after each, make it invalid: it %s', (_sentence, changes, kind) => {
    const view = (confirmed: number, breaker = {}) => observedMessages(aMessageQueueSpec({ ...changes, breaker }), { leases: leases('a', 'b'), refusals: new Map([['a', { ...aRefusal('taken', { count: 7 }), confirmed }]]) });
    expect(said(planAt(view(4)))).toEqual(['startMessage MessageReceived b']);
    expect(said(planAt(view(5)))).toEqual([`settle MessageInvalid a ${kind}`, 'startMessage MessageReceived b']);
    expect(said(planAt(view(2, { notStarted: 2 })))).toContain(`settle MessageInvalid a ${kind}`);
    expect(said(planAt(view(5, { notStarted: undefined })))).toContain(`settle MessageInvalid a ${kind}`);
    const [action] = planAt(view(5)).messages ?? [];
    expect(action).toMatchObject({ how: { failure: { reason: 'JobNameTaken', message: 'its Job was refused 7 times, and others were started meanwhile: exceeded quota: jobs', attempt: 1 } } });
  });

  it('matter no more once their messages are not in hand, or the text has changed', () => {
    const refusals = new Map([['a', aRefusal('quota')]]);
    expect(freeOf(planAt(observedMessages(spec, { refusals })))).toBe(10);
    expect(said(planAt(observedMessages(aMessageQueueSpec({ hash: 'hash-2' }), { leases: leases('a'), refusals })))).toEqual(['startMessage MessageReceived a']);
  });
});

describe('a create without a clean answer', () => {
  const unknown = (state: 'unknown' | 'pending') => ({ reservations: [{ jobName: 'x', state }] });
  it('is looked up once nobody works on it', () => {
    expect(acts(planAt(observedMessages(spec, {}, unknown('unknown'))))).toEqual(['resolve AnswerUnknown x']);
    expect(acts(planAt(observedMessages(spec, {}, unknown('pending'))))).toEqual(['resolve AnswerUnknown x']);
    expect(acts(planAt(observedMessages(spec, { underWay: new Set(['b']) }, unknown('pending'))))).toEqual([]);
  });

  it('of a batch, whose name no message tells, is left to its task as well', () => {
    const view = { underWay: new Set(['a']), namesUnderWay: new Set(['x']) };
    expect(acts(planAt(observedMessages(spec, view, unknown('unknown'))))).toEqual([]);
    expect(acts(planAt(observedMessages(spec, { ...view, namesUnderWay: new Set(['y']) }, unknown('unknown'))))).toEqual(['resolve AnswerUnknown x']);
  });

  it('is left to the task that works on it', () => {
    const [start] = startsOf(planAt(observedMessages(spec, { leases: leases('a') })));
    const view = observedMessages(spec, { leases: leases('a'), underWay: new Set(['a']) }, { reservations: [{ jobName: start?.jobName ?? '', state: 'unknown' }] });
    expect(acts(planAt(view))).toEqual([]);
  });

  it('is looked up also when the spec is broken', () => {
    expect(acts(planAt(observed({ claims: [aBrokenClaim()], messages: aMessagesView({ leases: leases('a') }), ...unknown('unknown') })))).toEqual(['resolve AnswerUnknown x']);
  });
});

describe('Jobs of an older text', () => {
  const older = { ...live('a'), specHash: 'hash-0' };
  it('are left alone, or replaced without an attempt being counted', () => {
    expect(acts(planAt(observedMessages(spec, { leases: leases('a') }, { jobs: [older] })))).toEqual([]);
    const replacing = aMessageQueueSpec({ onSpecChange: 'replace' });
    expect(planAt(observedMessages(replacing, { leases: leases('a') }, { jobs: [older] })).actions).toMatchObject([{ kind: 'end', reason: 'SpecChanged', outcome: { outcome: 'errored' } }]);
    expect(acts(planAt(observedMessages({ ...replacing, suspend: true }, {}, { jobs: [older] })))).toEqual([]);
  });

  it('are not replaced where the Job is all that is left of its message', () => {
    const taken = { ...aMessageJob('a', { pods: [aRunningPod()], note: { settle: 'onJobCreated' }, settled: settledAs('taken') }), specHash: 'hash-0' };
    expect(acts(planAt(observedMessages(aMessageQueueSpec({ onSpecChange: 'replace' }), {}, { jobs: [taken] })))).toEqual([]);
  });
});

describe('retention', () => {
  const keepNone = aMessageQueueSpec({ retention: { succeeded: { count: 0, age: undefined }, failed: { count: 0, age: undefined } }, breaker: { notStarted: undefined } });
  const ended = (settled: ReturnType<typeof settledAs> | undefined) => anEndedMessageJob('a', 'succeeded', { at: noon - hours(1), settled });
  const deleted = (jobs: Parameters<typeof observedMessages>[2], view = {}, now = noon) => acts(planAt(observedMessages(keepNone, view, jobs), now));

  it('leaves a Job for ten minutes after its message was settled', () => {
    const jobs = [ended(settledAs('completed', noon))];
    expect(deleted({ jobs }, {}, noon + minutes(10) - 1)).toEqual([]);
    expect(deleted({ jobs }, {}, noon + minutes(10))).toEqual(['delete RetentionExceeded orders-a-1']);
    expect(planAt(observedMessages(keepNone, {}, { jobs })).wakeAt).toBe(noon + minutes(10));
  });

  it('leaves what is not settled, and Jobs of messages that are in hand', () => {
    expect(deleted({ jobs: [ended(undefined)] })).toEqual([]);
    const jobs = [ended(settledAs('completed', noon - minutes(30)))];
    expect(deleted({ jobs }, { leases: leases('a') })).toEqual([]);
    expect(deleted({ jobs }, { underWay: new Set(['a']) })).toEqual([]);
    expect(deleted({ jobs })).toEqual(['delete RetentionExceeded orders-a-1']);
  });
});

describe('a rule for ids that was changed', () => {
  const old = aMessageJob('a', { pods: [aRunningPod()], note: { source: rabbitOrders } });
  const edited = aMessageQueueSpec({ source: { type: 'amqp', connection: 'rabbit', queue: 'orders', vhost: undefined, messageId: 'bodyHash', declare: { type: 'quorum', deadLetterExchange: undefined, deadLetterRoutingKey: undefined } } });

  it('counts once no Job is left whose message went by the old one: it would be delivered again under another id', () => {
    const lease = aLease('b', { source: sourceText(rabbitOrders) });
    const plan = planAt(observedMessages(edited, { leases: [lease] }, { jobs: [old] }));
    expect(plan.leases?.map(({ source }) => source)).toMatchObject([{ messageId: undefined, declare: { type: 'quorum' } }]);
    expect(startsOf(plan).map(({ source }) => source)).toMatchObject([{ messageId: undefined }]);
    const settled = anEndedMessageJob('a', 'succeeded', { note: { source: rabbitOrders }, settled: settledAs('completed') });
    expect(planAt(observedMessages(edited, {}, { jobs: [settled] })).leases?.map(({ source }) => source)).toMatchObject([{ messageId: 'bodyHash' }]);
  });
});
