import { describe, expect, it } from 'vitest';
import type { Status } from '../../../../src/plan/action.ts';
import type { WorkflowAction, WorkflowPlan } from '../../../../src/plan/workflow/action.ts';
import type { ObservedWorkflow } from '../../../../src/plan/workflow/observed.ts';
import { specText, workflowKey } from '../../../../src/reconcile/key.ts';
import { DeletionCalls } from '../../../../src/reconcile/deletion-calls.ts';
import { Memory } from '../../../../src/reconcile/memory.ts';
import { Reporter } from '../../../../src/reconcile/reporter.ts';
import { RecordKeeper } from '../../../../src/reconcile/runs/record-keeper.ts';
import { RunMemory } from '../../../../src/reconcile/runs/run-memory.ts';
import { WorkflowRounds } from '../../../../src/reconcile/runs/workflow-rounds.ts';
import { SpecIndex } from '../../../../src/reconcile/spec-index.ts';
import { StatusWriter } from '../../../../src/reconcile/status-writer.ts';
import { TemplateChecker } from '../../../../src/reconcile/template-checker.ts';
import { aConfigMap, aJobManifest, anEnvironment, laxPolicy, noon } from '../../../support/builders.ts';
import { Capacity } from '../../../../src/reconcile/capacity/capacity.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { FakeCache, FakeEvents, FakeJobs, FakeLeadership, FakeLog, FakeMeter, FakeSpecs, FakeStatusSink, refusal } from '../../../support/fakes.ts';
import { FakeMessageMeter } from '../../../support/message-fakes.ts';
import { aRecord, FakeRecordCache, FakeRecordStore, FakeRunMeter } from '../../../support/record-fakes.ts';
import { aJobStep, aWorkflowOf } from '../../../support/steps.ts';

const key = workflowKey('etl');
const frozen = { claim: 0, owner: { name: 'etl', uid: 'cm-1' } };
const create: WorkflowAction = { kind: 'createRun', reason: 'RunDue', because: 'it changed', name: 'etl-9', request: { workflow: 'etl', trigger: 'change' }, parameters: {}, frozen };
const idle: Status = { state: 'Idle', reason: 'WorkflowIdle', message: '', health: 'Healthy', observedHash: 'hash-1', conditions: [{ type: 'Accepted', status: 'True', reason: 'SpecAccepted', message: '' }], lastRun: undefined };

function aWorkflow(...plans: readonly Partial<WorkflowPlan>[]) {
  const clock = new FakeClock(noon);
  const jobs = new FakeJobs();
  const store = new FakeRecordStore();
  const records = new FakeRecordCache(store);
  const documents = new FakeSpecs();
  const leadership = new FakeLeadership();
  const events = new FakeEvents();
  const meter = new FakeMeter();
  const runMeter = new FakeRunMeter();
  const log = new FakeLog();
  const sink = new FakeStatusSink();
  const seen: ObservedWorkflow[] = [];
  const woken: string[] = [];
  const specs = new SpecIndex(documents, ({ objectName, data }) => ({ kind: 'Workflow', name: objectName, hash: data['spec.yaml'] === 'text' ? 'hash-1' : 'hash-2', spec: aWorkflowOf(aJobStep(), { name: objectName, files: ['load.sql'] }), problems: [] }));
  const recordNames = new Memory({ clock, cache: records });
  const keeper = new RecordKeeper({ clock, store, wrote: () => undefined, merged: () => undefined, ended: () => undefined });
  const reporter = new Reporter({ clock, statuses: new StatusWriter({ clock, sink, busy: () => false, forbidden: () => undefined }), events, meter, messageMeter: new FakeMessageMeter(), log, leadership });
  const runs = new RunMemory();
  const rounds = new WorkflowRounds({
    inHand: () => false,
    capacity: new Capacity({ clock, wake: () => undefined, jobs: () => [] }),
    clock, cache: new FakeCache(), environment: anEnvironment(), leadership, specs, store, keeper, recordNames, records, reporter, meter, runMeter, events, log,
    calls: new DeletionCalls({ clock, meter, log, hook: { call: () => Promise.resolve({ kind: 'accepted' }) }, changed: () => undefined }),
    checker: new TemplateChecker({ clock, jobs, policy: laxPolicy, changed: () => undefined }),
    changed: (changed) => woken.push(specText(changed)),
    runs,
    plan: (observed) => {
      seen.push(observed);
      return { actions: [], demands: [], statuses: observed.claims.length === 0 ? [] : [{ claim: 0, status: idle }], missed: [], wakeAt: undefined, ...plans[Math.min(seen.length, plans.length) - 1] };
    },
  });
  const define = (): void => {
    documents.documents.set('etl', { source: aConfigMap({ name: 'etl' }), file: 'etl', objectName: 'etl', label: 'workflow', data: { 'spec.yaml': 'text', 'load.sql': 'select', 'README.md': 'not named' } });
    specs.take('etl');
  };
  define();
  const round = async (): ReturnType<WorkflowRounds['round']> => {
    const result = await rounds.round(key);
    await settle();
    return result;
  };
  return { clock, jobs, store, records, documents, specs, leadership, events, meter, runMeter, log, sink, seen, woken, rounds, recordNames, runs, define, round };
}

describe('a round of a workflow', () => {
  it('looks at what defines it and at its records, and writes what it stands at', async () => {
    const { round, store, seen, sink, runMeter } = aWorkflow({ wakeAt: noon + 9000 });
    store.hold(aRecord());
    store.hold(aRecord({ name: 'etl-2', phase: 'Queued' }));
    store.hold(aRecord({ name: 'other-1', target: { kind: 'workflow', name: 'other' } }));
    expect(await round()).toEqual({ kind: 'done', again: 9000 });
    expect(seen[0]).toMatchObject({ key, records: [{ name: 'etl-1' }, { name: 'etl-2' }], recordsUnknown: undefined, since: noon, unread: false });
    expect([sink.written.map(({ state }) => state), runMeter.of('active')]).toEqual([['Idle'], [[key, 1]]]);
  });

  it('asks the API server about its templates', async () => {
    const { round, jobs, seen } = aWorkflow({ demands: [{ kind: 'verdict', hash: 'hash-1', manifests: [{ what: 'step "a"', manifest: aJobManifest() }, { what: 'step "b"', manifest: aJobManifest() }], notBefore: 0 }] }, {});
    await round();
    await round();
    expect([jobs.requests, seen[1]?.verdict?.result.kind]).toEqual([['dry run', 'dry run'], 'passed']);
  });

  it('knows what its runs ask people for', async () => {
    const { round, runs, seen } = aWorkflow();
    runs.ask('etl-1', 'step "a" waits');
    await round();
    expect([...(seen[0]?.asks ?? [])]).toEqual([['etl-1', 'step "a" waits']]);
  });

  it('a moment after the start waits for the records, without a word', async () => {
    const { round, records, seen, sink } = aWorkflow();
    records.synced = false;
    expect(await round()).toEqual({ kind: 'done', again: 250 });
    expect([seen, sink.written]).toEqual([[], []]);
  });

  it.each([['Forbidden', 10_000], ['RecordsUnread', 10_000], ['RecordsOff', undefined]] as const)('is told that records are not read (%s), and looks again where that may change', async (reason, again) => {
    const { round, records, seen } = aWorkflow();
    records.synced = false;
    records.problem = { reason, message: 'why' };
    expect(await round()).toEqual({ kind: 'done', again });
    expect(seen[0]?.recordsUnknown).toEqual({ reason, message: 'why' });
  });

  it('knows since when this process looks after it, anew after another one led', async () => {
    const { round, clock, seen, rounds } = aWorkflow();
    await round();
    await clock.advance(5000);
    await round();
    rounds.startAnew();
    await round();
    expect(seen.map(({ since }) => since)).toEqual([noon, noon, noon + 5000]);
  });
});

describe('a run of a text that is not the same any more', () => {
  it.each([
    ['was deleted', { kind: 'absent' }],
    ['cannot be asked about', { kind: 'failed', message: 'socket hang up', forbidden: false }],
  ] as const)('is not created: the text %s', async (_sentence, live) => {
    const parts = aWorkflow({ actions: [create] });
    parts.documents.live.set('etl', live);
    expect((await parts.round()).kind).toBe('failed');
    expect([parts.store.created, parts.recordNames.reservations(key)]).toEqual([[], []]);
    parts.documents.live.clear();
    await parts.round();
    expect(parts.store.created).toHaveLength(1);
  });
});

describe('a revision', () => {
  it('is new since this process saw it where another one was before', async () => {
    const { round, clock, seen, documents, specs } = aWorkflow();
    await round();
    await clock.advance(5000);
    const before = documents.documents.get('etl');
    if (before) documents.documents.set('etl', { ...before, data: { ...before.data, 'spec.yaml': 'another text' } });
    specs.take('etl');
    await round();
    await clock.advance(5000);
    await round();
    expect(seen.map(({ specSince }) => specSince)).toEqual([undefined, noon + 5000, noon + 5000]);
  });
});

describe('a new run', () => {
  it('keeps the text and the files that it names, and is not asked for again before the cache shows it', async () => {
    const { round, store, records, seen } = aWorkflow({ actions: [create] });
    records.seen = 0;
    expect(await round()).toEqual({ kind: 'done', again: undefined });
    expect(store.created).toMatchObject([{ name: 'etl-9', request: { workflow: 'etl' }, data: { 'spec.yaml': 'text', 'load.sql': 'select' }, owner: { name: 'etl', uid: 'cm-1' } }]);
    expect(store.created[0]?.data).not.toHaveProperty('README.md');
    expect(await round()).toEqual({ kind: 'done', again: 1000 });
    expect(seen).toHaveLength(1);
    records.seen = Infinity;
    await round();
    expect([...(seen[1]?.reservations ?? [])]).toEqual([]);
  });

  it.each([
    ['refused', refusal('refused', 'too large'), { kind: 'done', again: 0 }, { kind: 'refused', count: 1 }],
    ['that meets a full quota', refusal('quota'), { kind: 'done', again: 0 }, { kind: 'quota', count: 1 }],
    ['that is forbidden', refusal('forbidden'), { kind: 'done', again: 0 }, { kind: 'forbidden', count: 1 }],
    ['whose name something else has', { kind: 'exists' }, { kind: 'done', again: 0 }, { kind: 'taken', count: 1 }],
    ['without an answer', refusal('unknown'), { kind: 'failed', again: undefined }, undefined],
  ] as const)('%s', async (_what, answer, result, expected) => {
    const { round, store, seen, sink, log } = aWorkflow({ actions: [create] }, {});
    store.answers.create = [answer];
    expect(await round()).toEqual(result);
    expect(sink.written).toHaveLength(result.kind === 'done' ? 0 : 1);
    await round();
    expect([seen[1]?.refusal, [...(seen[1]?.reservations ?? [])]]).toEqual([expected && (expect.objectContaining({ ...expected, hash: 'hash-1' }) as unknown), []]);
    expect(log.lines.some(({ message }) => message === 'a change did not come through')).toBe(true);
  });

  it('without an answer is asked about before anything else is decided, and has its place until that is known', async () => {
    const { round, store, records, seen, recordNames } = aWorkflow({ actions: [create] }, {});
    store.answers = { create: [refusal('unknown')], read: [{ kind: 'failed', message: 'timed out', forbidden: false }] };
    await round();
    expect(await round()).toEqual({ kind: 'failed' });
    expect([seen.length, recordNames.reservations(key)]).toEqual([1, [{ jobName: 'etl-9', state: 'unknown' }]]);
    store.hold(aRecord({ name: 'etl-9', resourceVersion: '300' }));
    records.seen = 299;
    expect(await round()).toEqual({ kind: 'done', again: 1000 });
    records.seen = 300;
    await round();
    expect([seen.length, seen[1]?.reservations.size, store.requests]).toEqual([2, 0, ['create etl-9', 'read etl-9', 'read etl-9']]);
  });

  it('of a text that has changed since the round began is left to the next round', async () => {
    const { round, store, documents } = aWorkflow({ actions: [create] });
    documents.documents.set('etl', { source: aConfigMap({ name: 'etl' }), file: 'etl', objectName: 'etl', label: 'workflow', data: { 'spec.yaml': 'newer text' } });
    expect((await round()).kind).toBe('failed');
    expect(store.created).toEqual([]);
  });

  it('that is accepted ends the refusals before it', async () => {
    const { round, store, recordNames } = aWorkflow({ actions: [create] });
    store.answers.create = [refusal('quota')];
    await round();
    expect(recordNames.refusal(key)).toBeDefined();
    await round();
    expect(recordNames.refusal(key)).toBeUndefined();
  });
});

describe('a run that there is', () => {
  const record = aRecord({ phase: 'Queued' });
  const act = async (action: WorkflowAction, phase: 'Queued' | 'Running' = 'Queued') => {
    const parts = aWorkflow({ actions: [action] }, {});
    parts.store.hold(aRecord({ phase }), { data: undefined });
    return { ...parts, result: await parts.round() };
  };

  it('is admitted with the text as it is now', async () => {
    const { store, result } = await act({ kind: 'admitRun', reason: 'RunStarted', because: 'its turn', record, frozen: { claim: 0, owner: undefined } });
    expect(result.kind).toBe('done');
    expect(store.held.get('etl-1')).toMatchObject({ record: { phase: 'Running', ownerUid: undefined }, data: { 'spec.yaml': 'text', 'load.sql': 'select' } });
  });

  it('is not admitted where somebody else wrote the record meanwhile', async () => {
    const { store, result } = await act({ kind: 'admitRun', reason: 'RunStarted', because: 'its turn', record: { ...record, resourceVersion: '99' }, frozen: { claim: 0, owner: undefined } });
    expect([result.kind, store.requests]).toEqual(['failed', ['write etl-1']]);
  });

  it('is cancelled, also where somebody else writes its record all the time', async () => {
    const { store, result } = await act({ kind: 'cancelRun', reason: 'RunReplaced', because: 'a newer one', record: { ...record, resourceVersion: '99' } }, 'Running');
    expect([result.kind, store.held.get('etl-1')?.record.commands.cancel]).toEqual(['done', 'a newer one']);
  });

  it('is handed to another ConfigMap', async () => {
    const { store } = await act({ kind: 'reownRun', reason: 'OwnerChanged', because: 'cm-2 defines it', record, owner: { name: 'etl-2', uid: 'cm-2' } });
    expect(store.held.get('etl-1')?.record.ownerUid).toBe('cm-2');
  });

  it('is deleted', async () => {
    const { store, meter } = await act({ kind: 'deleteRun', reason: 'RetentionExceeded', because: 'too many', record });
    expect([store.held.size, meter.of('action')]).toEqual([0, [[key, 'deleteRun', 'RetentionExceeded', 'done']]]);
  });

  it('that cannot be deleted is tried again', async () => {
    const parts = aWorkflow({ actions: [{ kind: 'deleteRun', reason: 'RetentionExceeded', because: 'too many', record }], wakeAt: noon + 60_000 });
    parts.store.answers.delete = [refusal('conflict')];
    expect(await parts.round()).toEqual({ kind: 'failed', again: 60_000 });
  });

  it('is left alone without leadership', async () => {
    const parts = aWorkflow({ actions: [{ kind: 'deleteRun', reason: 'RetentionExceeded', because: 'too many', record }, create] });
    parts.leadership.leading = false;
    expect((await parts.round()).kind).toBe('failed');
    expect([parts.store.requests, parts.sink.written]).toEqual([[], []]);
  });
});

describe('what is told', () => {
  it.each([['down', 'nobody was there'], ['deadline', 'startingDeadline had passed'], ['forbidden', 'concurrencyPolicy is Forbid']] as const)('a scheduled time that was missed (%s)', async (why, text) => {
    const { round, events, runMeter } = aWorkflow({ actions: [create], missed: [{ at: noon, why }] }, {});
    await round();
    await round();
    const missed = events.emitted.filter(({ reason }) => reason === 'ScheduleMissed');
    expect(missed).toMatchObject([{ configMap: { name: 'etl' }, type: 'Warning', message: expect.stringContaining(text) as string }]);
    expect(runMeter.of('missed')).toEqual([[key, why]]);
  });

  it('a missed time once, with the run that overtakes it', async () => {
    const { round, store, runMeter } = aWorkflow({ actions: [create], missed: [{ at: noon, why: 'down' }] });
    store.answers.create = [refusal('quota')];
    await round();
    expect(runMeter.of('missed')).toEqual([]);
    await round();
    expect(runMeter.of('missed')).toEqual([[key, 'down']]);
  });

  it('runs of a workflow that nothing defines any more have to look', async () => {
    const { round, store, documents, specs, woken } = aWorkflow();
    store.hold(aRecord());
    store.hold(aRecord({ name: 'etl-2', phase: 'Queued' }));
    store.hold(aRecord({ name: 'etl-3', phase: 'Failed' }));
    await round();
    expect(woken).toEqual([]);
    documents.documents.clear();
    specs.take('etl');
    await round();
    expect(woken).toEqual(['spec/run/etl-1']);
  });

  it('series of a workflow that is gone go while its history stays; with that, everything is forgotten', async () => {
    const { round, store, documents, specs, meter, runMeter, log } = aWorkflow();
    store.hold(aRecord({ phase: 'Succeeded' }));
    await round();
    documents.documents.clear();
    specs.take('etl');
    await round();
    expect([meter.of('forget'), runMeter.of('forget'), log.lines.some(({ message }) => message === 'nothing left of this spec')]).toEqual([[[key]], [[key]], false]);
    store.held.clear();
    await round();
    expect(log.lines.at(-1)?.message).toBe('nothing left of this spec');
  });
});
