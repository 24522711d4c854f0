import { describe, expect, it } from 'vitest';
import type { Observed } from '../../../../src/plan/observed.ts';
import { sourceText } from '../../../../src/spec/queue-source.ts';
import { aPod, aRunningPod, endingNote, failed, finalNote, hours, minutes, noon, seconds } from '../../../support/builders.ts';
import { aLease, aMessage, aMessageJob, aMessageQueueSpec, aNote, anEndedMessageJob, observedMessages, rabbitOrders, said, settledAs, settlementsOf, startsOf } from '../../../support/message-builders.ts';
import { acts, planAt } from '../../../support/planning.ts';

const spec = aMessageQueueSpec();
const withReceipt = { note: { receipt: { id: 'row' } } };
const ofRabbit = { note: { source: rabbitOrders } };
const rabbit = aMessageQueueSpec({ source: rabbitOrders });
const leaseOfRabbit = aLease('a', { source: sourceText(rabbitOrders) });
/** A delivery later than the one of the Job. */
const later = { since: noon, delivery: 2 };

const seen = (jobs: Observed['jobs'], view: NonNullable<Parameters<typeof observedMessages>[1]> = {}, of = spec): Observed => observedMessages(of, view, { jobs });
const adopted = (observed: Observed): readonly string[] => (planAt(observed).leases ?? []).flatMap(({ adopt }) => adopt.map(({ id }) => id));
/** Serial, attempt and tries of the Job that is started. */
const nextOf = (observed: Observed, now = noon): readonly (readonly [number, number, number])[] =>
  startsOf(planAt(observed, now)).map(({ manifest }) => {
    const { metadata } = manifest as { metadata: { annotations: Record<string, string> } };
    const note = JSON.parse(metadata.annotations['job-chief/message'] ?? '') as ReturnType<typeof aNote>;
    return [note.serial, note.attempt, note.tries];
  });

describe('a message in hand without a Job', () => {
  it('gets its first', () => {
    expect(nextOf(seen([], { leases: [aLease('a')] }))).toEqual([[1, 1, 1]]);
  });

  it('whose Job was deleted by hand gets the next attempt', () => {
    const deleted = new Map([['a', aNote('a', { serial: 2, attempt: 2 })]]);
    expect(nextOf(seen([], { leases: [aLease('a')], deleted }))).toEqual([[3, 3, 2]]);
    expect(nextOf(seen([], { leases: [aLease('a', later)], deleted }))).toEqual([[3, 3, 1]]);
  });

  it('whose Job was deleted by hand is started after a look at what that Job has left', () => {
    const [before] = startsOf(planAt(seen([], { leases: [aLease('a')] })));
    const [start] = startsOf(planAt(seen([], { leases: [aLease('a')], deleted: new Map([['a', aNote('a')]]) })));
    expect([before?.after, start?.after, start?.jobName === before?.jobName]).toEqual([undefined, before?.jobName, false]);
  });

  it('waits as long as a pod of the Job before lives', () => {
    const deleted = new Map([['a', aNote('a')]]);
    const [start] = startsOf(planAt(seen([], { leases: [aLease('a')] })));
    const orphans = [aPod({ jobName: start?.jobName, jobUid: 'gone' })];
    expect(said(planAt(observedMessages(spec, { leases: [aLease('a')] }, { orphans })))).toEqual([]);
    expect(said(planAt(observedMessages(spec, { leases: [aLease('a')], deleted }, { orphans })))).toEqual([]);
    expect(said(planAt(observedMessages(spec, { leases: [aLease('b')] }, { orphans })))).toEqual(['startMessage MessageReceived b']);
  });

  it('waits as long as a pod of a later Job lives, though all its Jobs were deleted and nobody remembers them', () => {
    const earlier = anEndedMessageJob('a', 'failed', { settled: settledAs('returned'), note: { serial: 3 } });
    const [third] = startsOf(planAt(seen([earlier], { leases: [aLease('a', later)] })));
    const orphans = [aPod({ jobName: third?.jobName, jobUid: 'gone' })];
    expect(third?.jobName).toBeDefined();
    expect(said(planAt(observedMessages(spec, { leases: [aLease('a')] }, { orphans })))).toEqual([]);
  });

  it('waits as long as a pod of a batch lives whose Job is gone: whose message it has, nobody can tell', () => {
    const step = { index: 1, done: undefined, doneAt: undefined, messages: [], containers: 1 };
    const orphans = [aPod({ jobName: 'orders-of-several', jobUid: 'gone', step })];
    expect(said(planAt(observedMessages(spec, { leases: [aLease('a')] }, { orphans })))).toEqual([]);
    expect(said(planAt(observedMessages(spec, { leases: [aLease('a')] }, { orphans: [aPod({ jobName: 'orders-of-several', jobUid: 'gone' })] })))).toEqual(['startMessage MessageReceived a']);
  });

  it('waits while something is being asked about it, or its create is not in view yet', () => {
    const [start] = startsOf(planAt(seen([], { leases: [aLease('a')] })));
    const reservations = [{ jobName: start?.jobName ?? '', state: 'created' as const }];
    expect(said(planAt(seen([], { leases: [aLease('a')], underWay: new Set(['a']) })))).toEqual([]);
    expect(said(planAt(observedMessages(spec, { leases: [aLease('a')] }, { reservations })))).toEqual([]);
  });

  it('that came twice is started once, and the oldest first', () => {
    const leases = [aLease('a', { token: '1' }), aLease('b'), aLease('a', { token: '2' })];
    expect(startsOf(planAt(seen([], { leases }))).map(({ token, id }) => [token, id])).toEqual([['1', 'a'], ['lease-of-b', 'b']]);
  });
});

describe('a message whose Job is not finished', () => {
  it('is held while it is in hand', () => {
    expect(said(planAt(seen([aMessageJob('a', { pods: [aRunningPod()] })], { leases: [aLease('a')] })))).toEqual([]);
  });

  it('gets its payload again, unless it is known to be stored', () => {
    const job = aMessageJob('a', { pods: [aPod()] });
    expect(said(planAt(seen([job], { leases: [aLease('a')] })))).toEqual(['postPayload PayloadPosted a']);
    expect(said(planAt(seen([job], { leases: [aLease('a')], posted: new Set([job.uid]) })))).toEqual([]);
    expect(said(planAt(seen([aMessageJob('a', { note: { bare: true } })], { leases: [aLease('a')] })))).toEqual([]);
  });

  it('gets no payload of a later text, nor one that is not there', () => {
    expect(said(planAt(seen([aMessageJob('a', { specHash: 'hash-0' })], { leases: [aLease('a')] })))).toEqual([]);
    expect(said(planAt(seen([aMessageJob('a')], { leases: [aLease('a', { message: undefined })] })))).toEqual([]);
  });

  it('and not in hand is taken over by its receipt, once it has what it needs', () => {
    const started = aMessageJob('a', { ...withReceipt, pods: [aRunningPod()] });
    const starting = aMessageJob('b', withReceipt);
    expect(adopted(seen([started, starting]))).toEqual(['a']);
    expect(adopted(seen([started, starting], { posted: new Set([starting.uid]) }))).toEqual(['a', 'b']);
    expect(adopted(seen([started, starting], { lost: new Set([started.uid]) }))).toEqual([]);
    expect(adopted(seen([aMessageJob('a', { pods: [aRunningPod()] })]))).toEqual([]);
  });

  it('without its payload, and not delivered again, ends after startTimeout as PayloadLost', () => {
    const job = aMessageJob('a', { startedAt: noon - minutes(15), pods: [aPod()] });
    const { actions } = planAt(seen([job]));
    expect(actions).toMatchObject([{ kind: 'end', reason: 'PayloadLost', outcome: { outcome: 'errored', reason: 'PayloadLost', phase: 'ending' } }]);
    expect(planAt(seen([job]), noon - 1).actions).toEqual([]);
    expect(planAt(seen([job]), noon - 1).wakeAt).toBe(noon);
  });

  it('is not to blame for a variable that its Secret would have', () => {
    const pods = [aPod({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "orders-a-1" not found', container: 'main', since: noon - minutes(1) } })];
    const job = aMessageJob('a', { pods });
    expect(acts(planAt(seen([job])))).toEqual([]);
    expect(acts(planAt(seen([job], { posted: new Set([job.uid]) })))).toEqual(['end PodFatal orders-a-1']);
  });

  it('and in hand, or with its payload, ends after startTimeout as any other', () => {
    const job = aMessageJob('a', { startedAt: noon - minutes(15) });
    expect(acts(planAt(seen([job], { leases: [aLease('a')] })))).toContain('end StartTimeout orders-a-1');
    expect(acts(planAt(seen([job], { posted: new Set([job.uid]) })))).toContain('end StartTimeout orders-a-1');
  });

  it.each([
    ['is being deleted', { deleting: true }],
    ['has finished, and a pod of it lives', { finished: failed(), recorded: finalNote('failed'), pods: [aRunningPod()] }],
    ['is being deleted after it had finished', { deleting: true, finished: failed(), recorded: finalNote('failed') }],
    ['has been given up on', { recorded: endingNote('notStarted') }],
  ])('waits while its Job %s', (_sentence, changes) => {
    expect(said(planAt(seen([aMessageJob('a', changes)], { leases: [aLease('a')] })))).toEqual([]);
  });
});

describe('a Job that has finished', () => {
  it('gets its outcome written before its message is settled', () => {
    const job = { ...anEndedMessageJob('a', 'succeeded'), recorded: undefined };
    expect(acts(planAt(seen([job], { leases: [aLease('a')] })))).toEqual(['mark JobSucceeded orders-a-1']);
    expect(said(planAt(seen([job], { leases: [aLease('a')] })))).toEqual([]);
  });

  it('well: its message is acknowledged, by the lease or by the receipt', () => {
    const job = anEndedMessageJob('a', 'succeeded', withReceipt);
    expect(settlementsOf(planAt(seen([job], { leases: [aLease('a')] })))).toMatchObject([{ token: 'lease-of-a', job: { uid: job.uid }, how: { kind: 'complete', as: 'completed' } }]);
    expect(settlementsOf(planAt(seen([job])))).toMatchObject([{ token: undefined, receipt: { id: 'row' }, how: { kind: 'complete', as: 'completed' } }]);
  });

  it('well: the outputs of its containers go with the acknowledgement', () => {
    const pod = (text: string) => aRunningPod({ phase: 'Succeeded', step: { index: undefined, done: 'succeeded', doneAt: noon, containers: 1, messages: [{ container: 'main', text }] } });
    const how = (text: string) => settlementsOf(planAt(seen([anEndedMessageJob('a', 'succeeded', { pods: [pod(text)] })], { leases: [aLease('a')] })))[0]?.how;
    expect(how('rows=3\nname=x')).toEqual({ kind: 'complete', as: 'completed', output: { rows: '3', name: 'x' } });
    expect(how('{"rows":3}')).toEqual({ kind: 'complete', as: 'completed', output: { rows: 3 } });
    expect(how('all done')).toEqual({ kind: 'complete', as: 'completed', output: { outputProblem: 'container "main" wrote 8 bytes that are not outputs' } });
    expect(how('x'.repeat(4096))).toEqual({ kind: 'complete', as: 'completed', output: { outputProblem: 'container "main" wrote 4096 bytes of outputs or more, and Kubernetes keeps no more than 4096' } });
  });

  it('well, and nobody can be told: a delivery is waited for, and after a day it is presumed', () => {
    const job = anEndedMessageJob('a', 'succeeded', { ...ofRabbit, at: noon });
    expect(said(planAt(seen([job], {}, rabbit)))).toEqual([]);
    expect(said(planAt(seen([job], {}, rabbit), noon + hours(24) - 1))).toEqual([]);
    expect(said(planAt(seen([job], {}, rabbit), noon + hours(24)))).toEqual(['settle MessagePresumed a note presumed']);
    const known = anEndedMessageJob('a', 'succeeded', withReceipt);
    expect(said(planAt(seen([known], { lost: new Set([known.uid]) })))).toEqual([]);
  });

  it('badly: the queue decides by its own policy, with the reason', () => {
    const job = anEndedMessageJob('a', 'failed', { ...withReceipt, recorded: finalNote('failed', { reason: 'OOMKilled', message: 'container "main" exited with 137', exitCode: 137 }) });
    const failure = { reason: 'OOMKilled', message: 'container "main" exited with 137', job: 'orders-a-1', attempt: 1, exitCode: 137 };
    expect(settlementsOf(planAt(seen([job], { leases: [aLease('a')] })))[0]?.how).toEqual({ kind: 'fail', failure, delay: 0 });
    expect(said(planAt(seen([job])))).toEqual(['settle MessageReturned a fail']);
  });

  it('badly, and nobody can be told: that it failed is noted, and the next delivery is the next attempt', () => {
    expect(said(planAt(seen([anEndedMessageJob('a', 'failed', ofRabbit)], {}, rabbit)))).toEqual(['settle MessageReturned a note returned']);
  });

  it('badly, with tries left: that is noted, and the message stays in hand', () => {
    const job = anEndedMessageJob('a', 'failed', { note: { retry: { ...aNote('a').retry, attempts: 2 } } });
    expect(said(planAt(seen([job], { leases: [aLease('a')] })))).toEqual(['settle MessageReturned a note returned']);
  });

  it('badly, with tries left after a restart: the delivery is taken over first', () => {
    const job = anEndedMessageJob('a', 'failed', { note: { receipt: { id: 'row' }, retry: { ...aNote('a').retry, attempts: 2 } } });
    expect(said(planAt(seen([job])))).toEqual([]);
    expect(adopted(seen([job]))).toEqual(['a']);
  });

  it('badly, and its delivery cannot be taken over: nothing is waited for after a day', () => {
    const job = anEndedMessageJob('a', 'failed', { at: noon, note: { receipt: { id: 'row' }, retry: { ...aNote('a').retry, attempts: 2 } } });
    expect(planAt(seen([job])).wakeAt).toBe(noon + hours(24));
    expect(said(planAt(seen([job]), noon + hours(24) - 1))).toEqual([]);
    expect(said(planAt(seen([job]), noon + hours(24)))).toEqual(['settle MessageReturned a note returned']);
  });

  it.each([
    ['all attempts are made', { attempts: 2 }, { tries: 2 }, {}],
    ['the exit code is not worth another', { attempts: 9, exitCodes: { retry: [75] } }, {}, { exitCode: 1 }],
    ['the next would start too late', { attempts: 9, within: seconds(30), delay: minutes(1) }, {}, {}],
  ] as const)('badly, for good, since %s', (_sentence, retry, note, recorded) => {
    const job = anEndedMessageJob('a', 'failed', { note: { ...note, retry: { ...aNote('a').retry, ...retry } }, recorded: finalNote('failed', recorded) });
    expect(said(planAt(seen([job], { leases: [aLease('a')] })))).toEqual(['settle MessageReturned a fail']);
  });

  const buried = { note: { deadLetter: { queue: 'dead' } } };

  it('badly, for good: its message goes where dead ones go', () => {
    const how = settlementsOf(planAt(seen([anEndedMessageJob('a', 'failed', buried)], { leases: [aLease('a')] })))[0]?.how;
    expect(how).toMatchObject({ kind: 'dead', target: { queue: 'dead' }, message: { id: 'a' }, failure: { reason: 'Error', job: 'orders-a-1' } });
  });

  it('badly, for good, and its message is not at hand: it must be delivered once more', () => {
    const job = anEndedMessageJob('a', 'failed', { note: { ...buried.note, receipt: { id: 'row' } }, at: noon });
    expect(adopted(seen([job]))).toEqual(['a']);
    expect(said(planAt(seen([job], { leases: [aLease('a', { message: undefined })] })))).toEqual(['settle MessageReleased a release']);
    const lost = { lost: new Set([job.uid]) };
    expect(said(planAt(seen([job], lost)))).toEqual([]);
    expect(said(planAt(seen([job], lost), noon + hours(24)))).toEqual(['settle MessageReturned a note returned']);
  });

  it.each(['errored', 'notStarted', 'refused'] as const)('as %s: its message is kept, and nobody is told', (outcome) => {
    expect(said(planAt(seen([anEndedMessageJob('a', outcome)], { leases: [aLease('a')] })))).toEqual(['settle MessageKept a note kept']);
    expect(said(planAt(seen([anEndedMessageJob('a', outcome)])))).toEqual(['settle MessageKept a note kept']);
  });

  it('is settled by the note on it, whatever the spec says now', () => {
    const job = anEndedMessageJob('a', 'failed', buried);
    const changed = aMessageQueueSpec({ hash: 'hash-2', perMessage: { deadLetter: { queue: 'other' }, retry: { attempts: 5 } } });
    expect(settlementsOf(planAt(seen([job], { leases: [aLease('a')] }, changed)))[0]?.how).toMatchObject({ kind: 'dead', target: { queue: 'dead' } });
  });

  it('is settled under the lease that it was made under, or the newest', () => {
    const leases = [aLease('a', { token: 'old', since: noon - minutes(9) }), aLease('a', { token: 'its own' }), aLease('a', { token: 'new', since: noon })];
    expect(settlementsOf(planAt(seen([anEndedMessageJob('a', 'succeeded')], { leases })))[0]?.token).toBe('its own');
    expect(settlementsOf(planAt(seen([anEndedMessageJob('a', 'succeeded', { note: { leasedAt: 1 } })], { leases })))[0]?.token).toBe('new');
  });
});

describe('a message in hand whose Job is settled', () => {
  it.each(['completed', 'taken', 'presumed'] as const)('as %s is acknowledged again, and nothing runs', (as) => {
    const [settlement, ...more] = settlementsOf(planAt(seen([anEndedMessageJob('a', 'succeeded', { settled: settledAs(as) })], { leases: [aLease('a', later)] })));
    expect(settlement).toMatchObject({ job: undefined, how: { kind: 'complete', as: as === 'taken' ? 'taken' : 'completed' } });
    expect(more).toEqual([]);
  });

  const returned = (changes: Partial<ReturnType<typeof aNote>> = {}) => anEndedMessageJob('a', 'failed', { settled: settledAs('returned'), at: noon - seconds(1), note: { retry: { ...aNote('a').retry, attempts: 3, delay: seconds(10) }, ...changes } });

  it('as returned gets the next attempt, after the delay, and not a millisecond sooner', () => {
    const view = seen([returned()], { leases: [aLease('a')] });
    expect(nextOf(view, noon + seconds(9))).toEqual([[2, 2, 2]]);
    expect(nextOf(view, noon + seconds(9) - 1)).toEqual([]);
    expect(planAt(view).wakeAt).toBe(noon + seconds(9));
  });

  it('as returned, and delivered again, has all its tries again', () => {
    expect(nextOf(seen([returned({ tries: 3, attempt: 3, serial: 4 })], { leases: [aLease('a', later)] }), noon + seconds(9))).toEqual([[5, 4, 1]]);
  });

  it('as returned under the lease of its last try is told to the queue again', () => {
    const [settlement] = settlementsOf(planAt(seen([returned({ tries: 3 })], { leases: [aLease('a')] })));
    expect(settlement).toMatchObject({ job: undefined, how: { kind: 'fail' } });
  });

  it('as returned is of the same lease after a restart, if its receipt says so', () => {
    const again = aLease('a', { since: noon, receipt: { id: 'row' } });
    expect(nextOf(seen([returned({ receipt: { id: 'row' } })], { leases: [again] }), noon + seconds(9))).toEqual([[2, 2, 2]]);
  });

  it('as kept gets another Job, without an attempt being counted', () => {
    const job = anEndedMessageJob('a', 'errored', { settled: settledAs('kept'), at: noon - seconds(1), note: { serial: 3, attempt: 2, tries: 2 } });
    expect(nextOf(seen([job], { leases: [aLease('a')] }))).toEqual([[4, 2, 2]]);
    expect(nextOf(seen([job], { leases: [aLease('a')] }), noon - 1)).toEqual([]);
    expect(nextOf(seen([job], { leases: [aLease('a', later)] }))).toEqual([[4, 2, 1]]);
  });

  it('as kept waits after a Job that did not start, longer each time; not for an edited spec', () => {
    const job = (serial: number) => anEndedMessageJob('a', 'notStarted', { settled: settledAs('kept'), at: noon - minutes(9 - serial), note: { serial } });
    const jobs = [job(1), job(2)];
    // Another Job has succeeded since, so that the queue as a whole waits for nothing.
    const other = anEndedMessageJob('z', 'succeeded', { settled: settledAs('completed'), at: noon });
    const view = seen([...jobs, other], { leases: [aLease('a')] });
    const end = noon - minutes(7);
    expect(nextOf(view, end + minutes(4) - 1)).toEqual([]);
    expect(nextOf(view, end + minutes(4))).toEqual([[3, 1, 1]]);
    expect(nextOf(seen([...jobs, other], { leases: [aLease('a')] }, aMessageQueueSpec({ hash: 'hash-2' })), end)).toEqual([[3, 1, 1]]);
  });

  const dead = anEndedMessageJob('a', 'failed', { settled: settledAs('dead'), note: { serial: 3, attempt: 3 } });

  it('as dead is a redrive: it begins anew', () => {
    expect(nextOf(seen([dead], { leases: [aLease('a', { since: noon })] }))).toEqual([[4, 1, 1]]);
  });

  it('as dead, and in hand since before, or a later delivery of the same, is only acknowledged', () => {
    expect(said(planAt(seen([dead], { leases: [aLease('a')] })))).toEqual(['settle MessageCompleted a complete completed']);
    expect(said(planAt(seen([dead], { leases: [aLease('a', later)] })))).toEqual(['settle MessageCompleted a complete completed']);
  });

  it('as dead is a redrive of RabbitMQ after a while, whatever its count of deliveries', () => {
    const ofBroker = anEndedMessageJob('a', 'failed', { settled: settledAs('dead', noon - minutes(11)), note: { source: rabbitOrders } });
    expect(nextOf(seen([ofBroker], { leases: [{ ...leaseOfRabbit, ...later }] }, rabbit))).toEqual([[2, 1, 1]]);
  });

  it('without its content is given back', () => {
    expect(said(planAt(seen([returned()], { leases: [aLease('a', { ...later, message: undefined })] })))).toEqual(['settle MessageReleased a release']);
  });
});

describe('settle: onJobCreated', () => {
  const early = { note: { settle: 'onJobCreated' as const, receipt: { id: 'row' } } };
  const taking = aMessageQueueSpec({ perMessage: { settle: 'onJobCreated' } });

  it('takes the message once Job and payload are stored', () => {
    const job = aMessageJob('a', early);
    expect(said(planAt(seen([job], { leases: [aLease('a')] }, taking)))).toEqual(['postPayload PayloadPosted a']);
    expect(said(planAt(seen([job], { leases: [aLease('a')], posted: new Set([job.uid]) }, taking)))).toEqual(['settle MessageTaken a complete taken']);
  });

  it('takes it by its receipt after a restart, once the Job has started', () => {
    expect(said(planAt(seen([aMessageJob('a', early)], {}, taking)))).toEqual([]);
    expect(said(planAt(seen([aMessageJob('a', { ...early, pods: [aRunningPod()] })], {}, taking)))).toEqual(['settle MessageTaken a complete taken']);
  });

  it('takes it once: a delivery that comes while its Job runs is acknowledged', () => {
    const job = aMessageJob('a', { ...early, settled: settledAs('taken'), pods: [aRunningPod()] });
    expect(said(planAt(seen([job], {}, taking)))).toEqual([]);
    expect(said(planAt(seen([job], { leases: [aLease('a', later)] }, taking)))).toEqual(['settle MessageTaken a complete taken']);
  });

  it('tells nobody what becomes of the Job', () => {
    expect(said(planAt(seen([anEndedMessageJob('a', 'failed', { ...early, settled: settledAs('taken') })], {}, taking)))).toEqual([]);
    expect(said(planAt(seen([anEndedMessageJob('a', 'failed', { ...early, recorded: finalNote('failed', { exitCode: 1 }) })], {}, taking)))).toEqual(['settle MessageTaken a complete taken']);
  });

  it('keeps the message of a Job whose pod was deleted before it could start: its content may never have been stored', () => {
    const ended = anEndedMessageJob('a', 'failed', early);
    expect(said(planAt(seen([ended], { leases: [aLease('a')] }, taking)))).toEqual(['settle MessageKept a note kept']);
    expect(said(planAt(seen([ended], { leases: [aLease('a')], posted: new Set([ended.uid]) }, taking)))).toEqual(['settle MessageTaken a complete taken']);
  });

  it('keeps the message of a Job that was given up on before it was taken', () => {
    const job = aMessageJob('a', { ...early, recorded: endingNote('errored') });
    expect(said(planAt(seen([job], { leases: [aLease('a')], posted: new Set([job.uid]) }, taking)))).toEqual([]);
    const ended = anEndedMessageJob('a', 'errored', early);
    expect(said(planAt(seen([ended], { leases: [aLease('a')], posted: new Set([ended.uid]) }, taking)))).toEqual(['settle MessageKept a note kept']);
  });
});

describe('a message that waits for its next Job, and whose process has died', () => {
  const more = { note: { receipt: { retry: '0' }, retry: { ...aNote('a').retry, attempts: 2 } } };
  const kept = anEndedMessageJob('a', 'errored', { ...withReceipt, settled: settledAs('kept') });
  const returned = anEndedMessageJob('b', 'failed', { ...more, settled: settledAs('returned') });

  it('is taken over where its queue would wait for it to expire', () => {
    expect(adopted(seen([kept, returned]))).toEqual(['a', 'b']);
    expect(adopted(seen([kept, returned], { leases: [aLease('a')] }))).toEqual(['b']);
    expect(planAt(seen([returned])).wakeAt).toBe(noon - seconds(5) + hours(24));
    expect(planAt(seen([returned]), noon + hours(24)).leases).toMatchObject([{ adopt: [] }]);
  });

  it('is left to its queue where that hands it out again, or decides by its own policy', () => {
    const forGood = anEndedMessageJob('c', 'failed', { ...withReceipt, settled: settledAs('returned') });
    const elsewhere = anEndedMessageJob('d', 'errored', { note: { source: { type: 'sqs', connection: 'main', queue: 'orders', url: undefined }, receipt: { handle: 'h' } }, settled: settledAs('kept') });
    expect(adopted(seen([forGood, elsewhere]))).toEqual([]);
  });
});

describe('a message that is invalid', () => {
  const strict = (deadLetter?: { readonly queue: string }) => aMessageQueueSpec({ perMessage: { schema: { type: 'object', required: ['order'] }, deadLetter } });
  const bad = aLease('a', { message: aMessage('a', { body: '{"rows":1}' }) });

  it('starts no Job and goes the way of its queue, with the reason', () => {
    const [settlement] = settlementsOf(planAt(seen([], { leases: [bad] }, strict())));
    expect(settlement).toMatchObject({ reason: 'MessageInvalid', job: undefined, token: 'lease-of-a', how: { kind: 'fail', failure: { reason: 'MessageInvalid', job: undefined, message: 'the body does not meet /required of `schema`: it has no "order"' } } });
    expect(startsOf(planAt(seen([], { leases: [bad] }, strict())))).toEqual([]);
  });

  it('goes where dead ones go, if the spec says where', () => {
    expect(said(planAt(seen([], { leases: [bad] }, strict({ queue: 'dead' }))))).toEqual(['settle MessageInvalid a dead']);
  });

  it('holds up no other, also where only one may start', () => {
    const one = { ...strict(), concurrency: { max: 1 } };
    expect(said(planAt(seen([], { leases: [bad, aLease('b')] }, one)))).toEqual(['settle MessageInvalid a fail', 'startMessage MessageReceived b']);
  });

  it('is one without the id that its queue wants', () => {
    const [settlement] = settlementsOf(planAt(seen([], { leases: [aLease('a', { problem: 'it has no message_id' })] })));
    expect(settlement).toMatchObject({ reason: 'MessageInvalid', because: 'it has no message_id' });
  });
});

describe('a queue that nobody wants any more', () => {
  const jobs = [anEndedMessageJob('a', 'succeeded', withReceipt), aMessageJob('b', { ...withReceipt, pods: [aRunningPod()] })];
  const leases = [aLease('c')];
  const drained = observedMessages(spec, { leases }, { jobs });

  it('settles what its Jobs were made for, and takes over what they hold', () => {
    const gone = { ...drained, claims: [] };
    expect(said(planAt(gone))).toEqual(['settle MessageCompleted a complete completed']);
    expect(planAt(gone).leases).toMatchObject([{ free: 0, adopt: [{ id: 'b' }] }]);
  });

  it('gives back what has no Job: another queue is wanted now', () => {
    const other = aMessageQueueSpec({ source: rabbitOrders });
    expect(planAt(observedMessages(other, { leases })).leases?.map(({ source, free }) => [source.type, free])).toEqual([['amqp', 10]]);
    const settled = [...jobs, anEndedMessageJob('c', 'failed', { settled: settledAs('returned') })];
    expect(said(planAt(observedMessages(other, { leases: [aLease('c', later)] }, { jobs: settled })))).toEqual(['settle MessageReleased c release', 'settle MessageCompleted a complete completed']);
  });
});
