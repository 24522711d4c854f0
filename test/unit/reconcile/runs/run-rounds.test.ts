import { describe, expect, it } from 'vitest';
import type { RunAction, RunPlan } from '../../../../src/plan/run/action.ts';
import type { ObservedRun } from '../../../../src/plan/run/observed.ts';
import type { ObservedRecord } from '../../../../src/plan/run/record.ts';
import type { ParsedSpec } from '../../../../src/spec/parsed.ts';
import { CreateGate } from '../../../../src/reconcile/create-gate.ts';
import { Explainer } from '../../../../src/reconcile/explainer.ts';
import { runKey } from '../../../../src/reconcile/key.ts';
import { Memory } from '../../../../src/reconcile/memory.ts';
import type { WriteResult } from '../../../../src/reconcile/ports.ts';
import { JobTasks } from '../../../../src/reconcile/runs/job-tasks.ts';
import { RecordKeeper } from '../../../../src/reconcile/runs/record-keeper.ts';
import { RunMemory } from '../../../../src/reconcile/runs/run-memory.ts';
import { RunReporter } from '../../../../src/reconcile/runs/run-reporter.ts';
import { RunRounds } from '../../../../src/reconcile/runs/run-rounds.ts';
import { SpecIndex } from '../../../../src/reconcile/spec-index.ts';
import type { WorkflowSpec } from '../../../../src/spec/workflow.ts';
import { aConfigMap, aFile, aJob, aJobManifest, anEnvironment, aPod, aProblem, complete, endingNote, finalNote, laxPolicy, noon } from '../../../support/builders.ts';
import { Capacity } from '../../../../src/reconcile/capacity/capacity.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { done, FakeCache, FakeEventReader, FakeEvents, FakeJobs, FakeLeadership, FakeLog, FakeMeter, FakeSpecs, promised, refusal } from '../../../support/fakes.ts';
import { aRecord, aState, FakeRecordCache, FakeRecordStore, FakeRunMeter, over } from '../../../support/record-fakes.ts';
import { aJobStep, aWorkflowOf } from '../../../support/steps.ts';

const key = runKey('etl-1');

interface Options {
  readonly spec?: Partial<WorkflowSpec>;
  /** What each round decides, in turn; the last one stays. */
  readonly plans?: readonly Partial<RunPlan>[];
}

function aRun({ spec = {}, plans = [] }: Options = {}) {
  const clock = new FakeClock(noon);
  const jobs = new FakeJobs();
  const store = new FakeRecordStore();
  const records = new FakeRecordCache(store);
  const cache = new FakeCache();
  const documents = new FakeSpecs();
  const leadership = new FakeLeadership();
  const events = new FakeEvents();
  const meter = new FakeMeter();
  const runMeter = new FakeRunMeter();
  const log = new FakeLog();
  const runs = new RunMemory();
  const seen: ObservedRun[] = [];
  const woken: string[] = [];
  const parsed: string[] = [];
  const parse = ({ data, objectName }: { data: Readonly<Record<string, string>>; objectName: string }): ParsedSpec => {
    parsed.push(data['spec.yaml'] ?? '');
    if (data['spec.yaml'] === 'kindless') return { kind: undefined, name: objectName, hash: undefined, spec: undefined, problems: [aProblem()] };
    if (data['spec.yaml'] === 'broken') return { kind: 'Workflow', name: objectName, hash: 'h', spec: undefined, problems: [aProblem({ severity: 'warning' }), aProblem({ message: 'no steps' })] };
    return { kind: 'Workflow', name: objectName, hash: 'hash-1', spec: aWorkflowOf(aJobStep(), { name: objectName, ...spec }), problems: [] };
  };
  const specs = new SpecIndex(documents, parse);
  const changed = (): void => undefined;
  const memory = new Memory({ clock, cache });
  const recordNames = new Memory({ clock, cache: records });
  const reporter = new RunReporter({ events, meter, runMeter, log, records, specs });
  const keeper = new RecordKeeper({ clock, store, wrote: (name, result) => { reporter.recordWritten(name, result); }, merged: (name, uid, state) => { runs.merged(name, uid, state); }, ended: (name, _uid, state) => { reporter.ended(name, state); } });
  const tasks = new JobTasks({ clock, jobs, cache, store, memory, leadership, log, policy: laxPolicy, gate: new CreateGate(clock), told: (told, news) => { reporter.task(told.name, news); }, changed });
  const rounds = new RunRounds({
    capacity: new Capacity({ clock, wake: () => undefined, jobs: () => [] }),
    clock, environment: anEnvironment(), parse, jobs, store, records, cache, specs, leadership, keeper, tasks, memory, recordNames, runs, reporter,
    changed: ({ kind, name }) => woken.push(`${kind}/${name}`),
    explainer: new Explainer({ clock, events: new FakeEventReader(), changed }),
    plan: (observed) => {
      seen.push(observed);
      return { state: observed.state, actions: [], demands: [], reason: 'WaitsForSteps', message: '', liveJobs: 0, wants: 0, wakeAt: undefined, ...plans[Math.min(seen.length, plans.length) - 1] };
    },
  });
  const define = (source = aConfigMap({ name: 'etl' })): void => {
    documents.documents.set('etl', { source, file: 'etl', objectName: 'etl', label: 'workflow', data: { 'spec.yaml': 'etl' } });
    specs.take('etl');
  };
  const round = async (): ReturnType<RunRounds['round']> => {
    const result = await rounds.round(key);
    await settle();
    return result;
  };
  return { clock, jobs, store, records, cache, leadership, events, meter, runMeter, log, runs, memory, keeper, seen, woken, define, round, documents, specs, parsed };
}

const held = (record: Partial<ObservedRecord> = {}, options: Options = {}, content: Parameters<FakeRecordStore['hold']>[1] = {}) => {
  const parts = aRun(options);
  parts.store.hold(aRecord(record), content);
  parts.define();
  return parts;
};
const nothing = { kind: 'done', again: undefined };

describe('a round of a run', () => {
  it.each([
    ['whose record is not there', undefined],
    ['whose record is being deleted', { deleting: true }],
    ['that is over', { phase: 'Succeeded' }],
    ['that waits for its turn', { phase: 'Queued' }],
  ] as const)('%s does nothing', async (_what, record) => {
    const parts = aRun();
    if (record) parts.store.hold(aRecord(record));
    expect(await parts.round()).toEqual(nothing);
    expect([parts.seen, parts.store.requests]).toEqual([[], []]);
  });

  it('looks again later while records cannot be read: what it does not see may be there', async () => {
    const { records, round, seen } = held();
    records.synced = false;
    expect(await round()).toEqual({ kind: 'done', again: 5000 });
    expect(seen).toEqual([]);
  });

  it('reads the record once, and plans from memory afterwards', async () => {
    const state = aState({ steps: { load: { attempts: [{ job: 'j', at: noon }] } } });
    const { round, store, seen } = held({}, {}, { state, parameters: { day: 'monday' } });
    await round();
    await round();
    expect(store.requests).toEqual(['read etl-1']);
    expect(seen.map((observed) => [observed.state, observed.parameters, observed.spec.name])).toEqual([[state, { day: 'monday' }, 'etl'], [state, { day: 'monday' }, 'etl']]);
  });

  it('keeps to the files that it started with where the text names others as well by now', async () => {
    const text = { 'spec.yaml': 'etl' };
    const { specs, documents, store, round, parsed } = aRun({ spec: { files: ['load-a.yaml', 'load-b.yaml'] } });
    documents.documents.set('etl', { source: aConfigMap({ name: 'etl' }), file: 'etl', objectName: 'etl', label: 'workflow', data: { ...text, 'load-a.yaml': 'a', 'load-b.yaml': 'b' } });
    specs.take('etl');
    store.hold(aRecord(), { data: { ...text, 'load-a.yaml': 'a' } });
    await round();
    expect(parsed).toEqual(['etl', 'etl']);
  });

  it('does not parse again what the spec says now; another text it does', async () => {
    const parse = async (text: string): Promise<string[]> => {
      const { round, store, define, parsed } = aRun();
      store.hold(aRecord(), { data: { 'spec.yaml': text } });
      define();
      await round();
      return parsed;
    };
    expect([await parse('etl'), await parse('older')]).toEqual([['etl'], ['etl', 'older']]);
  });

  it('of a run about which nothing was decided begins with a state of its own, writes it down and says so', async () => {
    const { round, store, seen, events } = held();
    await round();
    expect(seen[0]?.state).toEqual(aState({ startedAt: noon }));
    expect([store.state(), store.writes.map(({ phase }) => phase)]).toEqual([aState({ startedAt: noon }), ['Running']]);
    expect(events.emitted.map(({ configMap, reason }) => [configMap?.name, reason])).toEqual([['etl-1', 'RunStarted'], ['etl', 'RunStarted']]);
  });

  it('after a restart does not tell of its beginning again', async () => {
    const { round, events, store } = held({}, {}, { state: aState() });
    await round();
    expect([events.emitted, store.writes]).toEqual([[], []]);
  });

  it('that cannot read the record backs off', async () => {
    const { round, store, seen, log } = held();
    store.answers.read = [{ kind: 'failed', message: 'timed out', forbidden: false }];
    expect(await round()).toEqual({ kind: 'failed' });
    expect([seen, log.lines.map(({ message }) => message)]).toEqual([[], ['a record could not be read']]);
    expect((await round()).kind).toBe('done');
  });

  it('whose record went between the cache and the read does nothing', async () => {
    const { round, store, seen } = held();
    store.answers.read = [{ kind: 'absent' }, { kind: 'found', value: { record: aRecord({ uid: 'another' }), data: {}, parameters: {}, state: undefined } }];
    expect([await round(), await round(), seen]).toEqual([nothing, nothing, []]);
  });

  it.each([
    ['whose state was edited into garbage', { state: 'broken' as const }, 'the state in its record cannot be read'],
    ['whose spec is not there', { data: undefined }, 'its record holds no spec'],
    ['whose spec cannot be read', { data: { 'spec.yaml': 'broken' } }, 'the spec in its record cannot be read: no steps'],
  ])('%s ends the run as failed', async (_what, content, message) => {
    const { round, store, seen, runMeter } = held({}, {}, content);
    expect(await round()).toEqual(nothing);
    expect(store.held.get('etl-1')?.record).toMatchObject({ phase: 'Failed', result: { outcome: 'failed', reason: 'RunUnreadable', message } });
    expect([seen, runMeter.of('finished')]).toEqual([[], [[{ kind: 'workflow', name: 'etl' }, { trigger: 'change', outcome: 'failed', seconds: 0 }]]]);
  });

  it('that waits for an approval says so to what it is a run of, and tells once of an answer that is none', async () => {
    const asks = aJobStep({ name: 'sign-off', work: { kind: 'approve', message: '' } });
    const waiting = aState({ steps: { 'sign-off': { attempts: [{ job: 'sign-off', at: noon }] } } });
    const over = aState({ steps: { 'sign-off': { outcome: 'succeeded', at: noon } } });
    const commands = { cancel: undefined, suspend: false, approvals: new Map([['signoff', 'approved' as const]]) };
    const { round, runs, woken, events } = held({ commands }, { spec: { steps: [asks] }, plans: [{ state: waiting }, { state: waiting }, { state: over }] }, { state: aState() });
    await round();
    await round();
    expect([[...runs.asks], woken]).toEqual([[['etl-1', 'step "sign-off" waits to be approved: job-chief approve etl-1 sign-off; no step "signoff" asks for an approval: did you mean "sign-off"?']], ['workflow/etl']]);
    expect(events.emitted.map(({ configMap, reason }) => [configMap?.name, reason])).toEqual([['etl-1', 'WaitsForApproval'], ['etl', 'WaitsForApproval'], ['etl-1', 'ApprovalUnusable'], ['etl', 'ApprovalUnusable']]);
    await round();
    expect([runs.asks.size, woken.length]).toEqual([0, 2]);
  });

  it('whose label somebody set to an end goes on, says so once, and puts the label right', async () => {
    const { round, store, seen, events, clock } = held({}, {}, { state: aState() });
    await round();
    store.edit('etl-1', { record: { phase: 'Running', labelled: 'Succeeded' } });
    await round();
    await round();
    await clock.advance(1000);
    expect([seen.length, store.held.get('etl-1')?.record.labelled, store.writes.map(({ phase }) => phase)]).toEqual([3, undefined, ['Running', 'Running']]);
    expect(events.emitted.map(({ configMap, reason, message }) => [configMap?.name, reason, message.includes('set to Succeeded')])).toEqual([['etl-1', 'RecordEdited', true], ['etl', 'RecordEdited', true]]);
  });

  it('whose result somebody took away gets it again, also from a process that has just started', async () => {
    const { round, store } = held({ phase: 'Running', labelled: 'Succeeded' }, {}, { state: over });
    await round();
    expect(store.held.get('etl-1')?.record).toMatchObject({ phase: 'Succeeded', result: { outcome: 'succeeded', message: 'all of it' } });
  });

  it('that is cancelled before its turn ends it', async () => {
    const { round, store } = held({ phase: 'Queued', commands: { cancel: 'not needed', suspend: false, approvals: new Map() } }, {}, { data: undefined });
    expect(await round()).toEqual(nothing);
    expect(store.held.get('etl-1')?.record).toMatchObject({ phase: 'Cancelled', result: { outcome: 'cancelled', message: 'not needed' } });
    expect(store.requests).toEqual(['write etl-1']);
  });

  it('waits until what an earlier record of the name left is gone', async () => {
    const { round, cache, seen } = held();
    cache.hold(key, [aJob({ ownerUid: 'uid-former' })]);
    expect(await round()).toEqual({ kind: 'done', again: 30_000 });
    cache.hold(key, [], [aPod()]);
    expect(await round()).toEqual({ kind: 'done', again: 30_000 });
    cache.hold(key, [aJob({ ownerUid: 'uid-etl-1' })]);
    await round();
    expect(seen).toHaveLength(1);
  });

  it('asks the API server itself what an earlier record of the name left, where that one went in mid-run', async () => {
    const { round, store, seen, jobs } = held();
    await round();
    store.held.clear();
    await round();
    store.hold(aRecord({ uid: 'uid-second' }));
    jobs.view = { highestSequence: 0, liveJobs: [], livePods: ['etl-load-1-abcde'] };
    expect(await round()).toEqual({ kind: 'done', again: 2000 });
    jobs.answers.live = { kind: 'failed', message: 'socket hang up', forbidden: false };
    expect(await round()).toEqual({ kind: 'done', again: 2000 });
    delete jobs.answers.live;
    jobs.view = { highestSequence: 0, liveJobs: [], livePods: [] };
    await round();
    await round();
    expect([seen.length, jobs.requests]).toEqual([3, Array(3).fill('live etl-1')]);
  });

  it('waits for what was just created for that record, and not for what has ended', async () => {
    const { round, cache, seen, memory } = held();
    cache.hold(key, [aJob({ ownerUid: 'uid-former', finished: complete() })]);
    memory.reserve(key, 'etl-load-1');
    memory.confirm(key, 'etl-load-1', '200');
    cache.seen = 199;
    expect(await round()).toEqual({ kind: 'done', again: 30_000 });
    cache.seen = 200;
    await round();
    expect(seen.map(({ jobs }) => [...jobs.keys()])).toEqual([[]]);
  });

  it('comes back when its plan may differ', async () => {
    const { round } = held({}, { plans: [{ wakeAt: noon + 7000 }] });
    expect(await round()).toEqual({ kind: 'done', again: 7000 });
  });

  it('of a run with a thousand Jobs lets some time pass before the next', async () => {
    const { round, cache, clock, seen } = held({}, {}, { state: aState() });
    cache.hold(key, Array.from({ length: 1000 }, (_, index) => aJob({ name: `j${index}`, ownerUid: 'uid-etl-1' })));
    await round();
    expect(await round()).toEqual({ kind: 'done', again: 50 });
    await clock.advance(50);
    await round();
    expect(seen).toHaveLength(2);
  });

  it('and likewise of one with a thousand pods of an Indexed Job', async () => {
    const { round, cache } = held({}, {}, { state: aState() });
    cache.hold(key, [aJob({ name: 'load', ownerUid: 'uid-etl-1', pods: Array.from({ length: 1000 }, (_, index) => aPod({ name: `load-${index}` })) })]);
    await round();
    expect(await round()).toEqual({ kind: 'done', again: 50 });
  });

  it('and likewise of one with a thousand sub-runs', async () => {
    const { round, store } = held({}, { spec: { steps: [aJobStep({ work: { kind: 'subRun', target: { kind: 'workflow', name: 'child' }, parameters: {} } })] } }, { state: aState() });
    const parent = { run: 'etl-1', uid: 'uid-etl-1', step: 'load', attempt: 1, depth: 1 };
    for (let index = 0; index < 1000; index += 1) store.hold(aRecord({ name: `child-${index}`, request: { workflow: 'child', trigger: 'step', parent } }));
    await round();
    expect(await round()).toEqual({ kind: 'done', again: 50 });
  });
});

describe('what a plan may look at', () => {
  it('Jobs by name, orphans, names that were asked for, and what is under way as created', async () => {
    const manifest = aJobManifest({ name: 'j2' });
    const create: RunAction = { kind: 'createStepJob', step: 'load', jobName: 'j2', reason: 'StepDue', because: 'due', manifest };
    const { round, cache, jobs, memory, seen } = held({}, { plans: [{ actions: [create] }, {}] }, { state: aState() });
    cache.hold(key, [aJob({ name: 'j1', ownerUid: 'uid-etl-1' })], [aPod({ name: 'left' })]);
    jobs.answers = { create: new Promise(() => undefined) };
    memory.reserve(key, 'j0');
    await round();
    await round();
    expect([...(seen[1]?.jobs.keys() ?? [])]).toEqual(['j1']);
    expect(seen[1]?.orphans.map(({ name }) => name)).toEqual(['left']);
    expect([...(seen[1]?.reservations ?? [])]).toEqual([['j0', 'pending'], ['j2', 'created']]);
  });

  it('records of its sub-runs, and nobody else\'s', async () => {
    const step = aJobStep({ work: { kind: 'subRun', target: { kind: 'workflow', name: 'child' }, parameters: {} } });
    const { round, store, seen } = held({}, { spec: { steps: [step] } }, { state: aState() });
    const child = (name: string, run: string, uid: string): void => { store.hold(aRecord({ name, target: { kind: 'workflow', name: 'child' }, request: { workflow: 'child', trigger: 'step', parent: { run, uid, step: 'load', attempt: 1, depth: 1 } } })); };
    child('mine', 'etl-1', 'uid-etl-1');
    child('of-a-namesake', 'etl-1', 'uid-former');
    child('of-another', 'etl-2', 'uid-etl-2');
    await round();
    expect([...(seen[0]?.children.keys() ?? [])]).toEqual(['mine']);
  });

  it.each([
    ['is there', { uid: 'uid-etl-0' }, over, over],
    ['was replaced by another of its name', { uid: 'another' }, over, undefined],
    ['cannot be read', { uid: 'uid-etl-0' }, 'broken', undefined],
  ] as const)('the run that it repeats, which %s', async (_what, record, state, expected) => {
    const { round, store, seen } = held({ request: { workflow: 'etl', trigger: 'request', rerunOf: { run: 'etl-0', uid: 'uid-etl-0' } } });
    store.hold(aRecord({ name: 'etl-0', phase: 'Failed', ...record }), { state });
    await round();
    await round();
    expect(seen.map(({ earlier }) => earlier)).toEqual([expected, expected]);
    expect(store.requests.filter((request) => request === 'read etl-0')).toHaveLength(1);
  });

  it('not before the run that it repeats could be asked for', async () => {
    const { round, store, seen } = held({ request: { workflow: 'etl', trigger: 'request', rerunOf: { run: 'etl-0', uid: 'uid-etl-0' } } });
    store.answers.read = [{ kind: 'found', value: { record: aRecord(), data: { 'spec.yaml': 'etl' }, parameters: {}, state: undefined } }, { kind: 'failed', message: 'timed out', forbidden: false }];
    expect([await round(), seen]).toEqual([{ kind: 'failed' }, []]);
  });

  it.each([
    ['a change, and the spec is there', 'change', 'there', 'delete', false],
    ['a change, and the spec is gone', 'change', 'gone', 'delete', true],
    ['a schedule, and the spec is being deleted', 'schedule', 'deleting', 'delete', true],
    ['a change, and the spec is gone, which says finish', 'change', 'gone', 'finish', false],
    ['a request: accepted work goes on', 'request', 'gone', 'delete', false],
    ['a step of another run, which goes on', 'step', 'gone', 'delete', false],
    ['a change, and some file cannot be read, which may be the spec', 'change', 'unread', 'delete', false],
  ] as const)('whether its spec is gone: started by %s', async (_what, trigger, spec, onSpecDelete, gone) => {
    const { round, store, define, seen, documents, specs } = aRun({ spec: { onSpecDelete } });
    store.hold(aRecord({ request: { workflow: 'etl', trigger } }));
    if (spec === 'there' || spec === 'deleting') define(aConfigMap({ deleting: spec === 'deleting' }));
    if (spec === 'unread') {
      documents.documents.set('x', { source: aFile(), file: 'x', objectName: 'x', label: undefined, data: { 'spec.yaml': 'kindless' } });
      specs.take('x');
    }
    await round();
    expect(seen[0]?.specGone).toBe(gone);
  });
});

describe('what a plan decides', () => {
  const job = aJob({ name: 'j1', uid: 'uid-j1' });
  const end: RunAction = { kind: 'end', reason: 'RunCancelled', because: 'cancelled', job, suspended: false, outcome: endingNote('errored') };
  const mark: RunAction = { kind: 'mark', reason: 'JobSucceeded', because: 'done', job: { ...job, uid: 'uid-j2' }, outcome: finalNote('succeeded'), ran: 1 };

  it('patches Jobs, and not again before the cache shows it', async () => {
    const { round, jobs, cache } = held({}, { plans: [{ actions: [end, mark] }] }, { state: aState() });
    await round();
    await round();
    expect(jobs.requests).toEqual(['patch j1 uid-j1', 'patch j1 uid-j2']);
    cache.seen = 200;
    await round();
    expect(jobs.requests).toHaveLength(4);
  });

  it('backs off where a patch fails; a Job that is gone needs none', async () => {
    const { round, jobs, meter } = held({}, { plans: [{ actions: [end], wakeAt: noon + 5000 }] }, { state: aState() });
    jobs.answers = { patch: refusal('unknown', 'no answer') };
    expect(await round()).toEqual({ kind: 'failed', again: 5000 });
    jobs.answers = { patch: { kind: 'gone' } };
    expect((await round()).kind).toBe('done');
    expect(meter.of('action')).toEqual([[key, 'end', 'RunCancelled', 'unknown'], [key, 'end', 'RunCancelled', 'gone']]);
  });

  it('what was created and is not shown is looked for again: it may be gone when its watch is back, and no event tells that', async () => {
    const action: RunAction = { kind: 'createStepJob', step: 'load', jobName: 'j1', reason: 'StepDue', because: 'due', manifest: aJobManifest({ name: 'j1' }) };
    const { round, cache, jobs, seen } = held({}, { plans: [{ actions: [action] }, {}] }, { state: aState() });
    jobs.answers = { create: done('200') };
    cache.seen = 199;
    expect(await round()).toEqual({ kind: 'done', again: 10_000 });
    expect(await round()).toEqual({ kind: 'done', again: 10_000 });
    cache.seen = 200;
    expect(await round()).toEqual(nothing);
    expect(seen.map(({ reservations }) => [...reservations.keys()])).toEqual([[], ['j1'], []]);
  });

  it('creates are not waited for: the state is on its way into the record before they are answered', async () => {
    const state = aState({ steps: { load: { attempts: [{ job: 'j1', at: noon }] } } });
    const { round, jobs, store } = held({}, { plans: [{ state, actions: [{ kind: 'createStepJob', step: 'load', jobName: 'j1', reason: 'StepDue', because: 'due', manifest: aJobManifest({ name: 'j1' }) }] }] });
    jobs.answers = { create: new Promise(() => undefined) };
    await round();
    expect([jobs.requests, store.state()]).toEqual([['create j1'], state]);
  });

  const sub: RunAction = { kind: 'createSubRun', step: 'part', name: 'child-1', reason: 'StepDue', because: 'due', request: { workflow: 'child', trigger: 'step', parent: { run: 'etl-1', uid: 'uid-etl-1', step: 'part', attempt: 1, depth: 1 } }, parameters: { day: 1 } };

  it('a sub-run is a queued record that this one owns', async () => {
    const { round, store, records, seen } = held({}, { plans: [{ actions: [sub] }, {}] }, { state: aState() });
    records.seen = 0;
    await round();
    await round();
    expect(store.created).toEqual([{ name: 'child-1', request: sub.request, parameters: { day: 1 }, data: undefined, owner: { name: 'etl-1', uid: 'uid-etl-1' } }]);
    expect([...(seen[1]?.reservations ?? [])]).toEqual([['child-1', 'created']]);
  });

  it.each([
    ['refused', refusal('refused'), 'refused', { kind: 'done', again: 0 }],
    ['that meets a full quota', refusal('quota'), 'quota', { kind: 'done', again: 0 }],
    ['whose name another record has', { kind: 'exists' }, 'taken', { kind: 'done', again: 0 }],
    ['whose name is still that of one being deleted', { kind: 'conflict', message: 'it is being deleted' }, undefined, { kind: 'failed', again: undefined }],
    ['without an answer', refusal('unknown'), undefined, { kind: 'failed', again: undefined }],
  ] as const)('a sub-run %s', async (_what, answer, refused, result) => {
    const { round, store, seen } = held({}, { plans: [{ actions: [sub] }, {}] }, { state: aState() });
    store.answers.create = [answer];
    expect(await round()).toEqual(result);
    await round();
    expect([seen[1]?.refusals.get('child-1')?.kind, [...(seen[1]?.reservations ?? [])]]).toEqual([refused, []]);
  });

  it('a sub-run is cancelled by the annotation that people use', async () => {
    const cancel: RunAction = { kind: 'cancelSubRun', reason: 'RunCancelled', because: 'the run was cancelled', name: 'child-1', uid: 'uid-child-1' };
    const { round, store } = held({}, { plans: [{ actions: [cancel] }] }, { state: aState() });
    store.hold(aRecord({ name: 'child-1', target: { kind: 'workflow', name: 'child' } }));
    await round();
    expect(store.held.get('child-1')?.record.commands.cancel).toBe('the run was cancelled');
    store.held.delete('child-1');
    expect((await round()).kind).toBe('done');
  });

  it('without leadership nothing is sent', async () => {
    const { round, jobs, store, leadership } = held({}, { plans: [{ actions: [end, sub] }] }, { state: aState() });
    leadership.leading = false;
    expect((await round()).kind).toBe('failed');
    expect([jobs.requests, store.created]).toEqual([[], []]);
  });

  it('is told: steps, the beginning of the end, and the end once it is in the record', async () => {
    const failed = aState({ steps: { load: { outcome: 'failed', message: 'exit 1' } }, stopping: { mode: 'stop', reason: 'StepFailed', message: 'load', at: noon } });
    const ended = { ...failed, end: { outcome: 'failed' as const, reason: 'StepFailed', message: 'step "load" failed', at: noon + 2000, failedSteps: ['load'] } };
    const { round, events, runMeter, clock } = held({}, { plans: [{ state: failed }, { state: ended }] }, { state: aState() });
    await round();
    await round();
    await clock.advance(300);
    expect(events.emitted.filter(({ configMap }) => configMap?.name === 'etl').map(({ reason, message }) => `${reason} ${message}`)).toEqual([
      'StepFailed run "etl-1": step "load" failed (exit 1)',
      'RunStopping run "etl-1" starts no more steps: load',
      'RunFailed run "etl-1" failed: step "load" failed',
    ]);
    const workflow = { kind: 'workflow', name: 'etl' };
    expect([runMeter.of('step'), runMeter.of('finished')]).toEqual([[[workflow, 'failed']], [[workflow, { trigger: 'change', outcome: 'failed', seconds: 2 }]]]);
  });

  it('that somebody annotates its record meanwhile is nothing to warn of', async () => {
    const { round, store, log, clock } = held({}, { plans: [{ state: aState({ steps: { a: { outcome: 'succeeded' } } }) }] }, { state: aState() });
    store.answers.write = [refusal('conflict')];
    await round();
    await clock.advance(1000);
    expect(log.lines.filter(({ message }) => message.includes('record'))).toMatchObject([{ level: 'info', message: 'a record was changed by somebody else, and is read again' }]);
  });

  it('its end is told where the watch is faster than the answer to the write', async () => {
    const { round, store, runMeter } = held({}, { plans: [{ state: over }] });
    const answer = promised<WriteResult>();
    store.answers.write = [answer.promise];
    await round();
    store.edit('etl-1', { record: { phase: 'Succeeded' }, state: over });
    await round();
    answer.keep({ kind: 'done', uid: 'uid-etl-1', resourceVersion: '300', warnings: [] });
    await settle();
    expect(runMeter.of('finished')).toMatchObject([[{ name: 'etl' }, { outcome: 'succeeded' }]]);
  });

  it('when it is over what a late request still made for it is ended all the same, and nothing else is looked at', async () => {
    const parts = held({ phase: 'Succeeded' }, {}, { state: over });
    const stray = aJob({ name: 'stray', ownerUid: 'uid-etl-1' });
    parts.cache.hold(key, [aJob({ name: 'former', ownerUid: 'uid-former' })]);
    await parts.round();
    expect(parts.seen).toEqual([]);
    parts.cache.hold(key, [stray, aJob({ name: 'former', ownerUid: 'uid-former' })]);
    await parts.round();
    expect(parts.seen.map(({ jobs, state }) => [[...jobs.keys()], state])).toEqual([[['stray'], over]]);
    parts.cache.hold(key, [{ ...stray, recorded: endingNote('errored') }]);
    await parts.round();
    expect([parts.seen.length, parts.runs.get(aRecord()), parts.store.writes]).toEqual([1, undefined, []]);
  });

  it('when it is over nothing of it is kept in memory', async () => {
    const { round, store, runs, keeper } = held({}, { plans: [{ state: over }] });
    await round();
    expect(runs.get(aRecord())).toBeDefined();
    await round();
    expect([runs.get(aRecord()), keeper.isKept(aRecord()), store.requests]).toEqual([undefined, false, ['read etl-1', 'write etl-1']]);
  });
});
