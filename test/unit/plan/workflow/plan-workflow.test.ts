import { describe, expect, it } from 'vitest';
import type { ObservedWorkflow } from '../../../../src/plan/workflow/observed.ts';
import { aFile, aRefusal, hours, minutes, noon, passed, seconds, verdict } from '../../../support/builders.ts';
import { aBrokenWorkflow, aChangeRun, anEndedRun, aQueuedRun, aRecord, aStep, aSubRun, aWorkflowClaim, aWorkflowSpec, etlMap, nightly, observedWorkflow, onChange, onRequest, onSchedule, planFor, shortActs, stands } from '../../../support/workflows.ts';

const running = aRecord({ name: 'etl-running' });
const waits = aQueuedRun('etl-waits');
const everything = aWorkflowSpec({ trigger: { onChange: true, onRequest: true, schedule: nightly({ lines: ['0 12 * * *'] }) } });

describe('the first thing that keeps runs from starting is what a workflow stands at', () => {
  it.each([
    ['records that cannot be read', everything, { recordsUnknown: { reason: 'Forbidden', message: 'configmaps is forbidden' } }, ['Blocked', 'Forbidden', 'configmaps is forbidden']],
    ['records that are switched off', everything, { recordsUnknown: { reason: 'RecordsOff', message: 'runs are switched off' } }, ['Blocked', 'RecordsOff', 'runs are switched off']],
    ['a broken spec', everything, { claims: [aBrokenWorkflow()] }, ['Rejected', 'SpecRejected', 'there is no field "pod"']],
    ['a broken spec, with runs that go on and one that waits', everything, { claims: [aBrokenWorkflow()], records: [running, waits] }, ['Rejected', 'SpecRejected', 'there is no field "pod"; run "etl-running" is running; run "etl-waits" waits']],
    ['suspend', { ...everything, suspend: true }, {}, ['Suspended', 'SpecSuspended', 'suspend is true: no runs are started']],
    ['suspend comes before the check of the templates', { ...everything, suspend: true }, { verdict: undefined, records: [running] }, ['Suspended', 'SpecSuspended', 'suspend is true: no runs are started; run "etl-running" is running']],
    ['templates that have not been checked', everything, { verdict: undefined }, ['Checking', 'SpecChecking', 'the API server is asked whether it would take the Job']],
    ['templates of another revision that were checked', everything, { verdict: passed('hash-0') }, ['Checking', 'SpecChecking', 'the API server is asked whether it would take the Job']],
    ['a template that is refused', everything, { verdict: verdict('refused'), records: [running] }, ['Rejected', 'TemplateRefused', 'the API server said so']],
    ['a missing right', everything, { verdict: verdict('forbidden') }, ['Blocked', 'Forbidden', 'the API server said so']],
    ['observe', { ...everything, observe: true }, {}, ['Idle', 'SpecObserved', 'would start the run of this revision; observe is true']],
    ['observe, where nothing would start', { ...onRequest(), observe: true }, { records: [running] }, ['Idle', 'SpecObserved', 'observe is true: no runs are started; run "etl-running" is running']],
  ] as const)('%s', (_sentence, spec, changes, stand) => {
    const observed = observedWorkflow(spec, changes);
    expect(stands(observed)).toEqual(stand);
    expect(shortActs(planFor({ ...observed, records: [...observed.records, aQueuedRun('one-more')] }))).toEqual([]);
  });
});

describe('records that are not known', () => {
  const finished = anEndedRun('Failed', noon - hours(999));
  const old = aWorkflowClaim(onChange(), etlMap({ name: 'older', uid: 'cm-0', createdAt: noon - hours(9) }));
  const unknown = { reason: 'RecordsUnread', message: 'not read yet' } as const;

  it('nothing is started, cancelled, handed over or deleted', () => {
    const observed = observedWorkflow(everything, { claims: [old, aWorkflowClaim(everything)], records: [finished, { ...finished, name: 'theirs', ownerUid: 'cm-0' }] });
    expect(shortActs(planFor(observed)).map((act) => act.split(' ')[0])).toEqual(['reownRun', 'createRun', 'deleteRun', 'deleteRun']);
    expect(shortActs(planFor({ ...observed, recordsUnknown: unknown }))).toEqual([]);
  });

  it('the claims are told so, and how many runs there are is not', () => {
    const { statuses } = planFor(observedWorkflow(everything, { claims: [old, aWorkflowClaim(everything)], recordsUnknown: unknown }));
    expect(statuses.map(({ claim, status }) => [claim, status.state, status.activeRuns])).toEqual([
      [1, 'Blocked', undefined],
      [0, 'Superseded', undefined],
    ]);
  });
});

describe('claims', () => {
  const older = aWorkflowClaim(onChange({ hash: 'hash-old' }), etlMap({ name: 'etl-old', uid: 'cm-old', createdAt: noon - minutes(9) }));
  const newer = aWorkflowClaim(onChange({ hash: 'hash-new' }), etlMap({ name: 'etl-new', uid: 'cm-new', createdAt: noon - minutes(1) }));
  const observed = (claims: ObservedWorkflow['claims']): ObservedWorkflow => observedWorkflow(onChange({ hash: 'hash-new' }), { claims });

  it('the newest defines the workflow, the others are told so', () => {
    const plan = planFor(observed([older, newer]));
    expect(plan.statuses.map(({ claim, status }) => [claim, status.state, status.reason, status.message])).toEqual([
      [1, 'Starting', 'RunStarted', expect.stringMatching(/^run "etl-[a-z2-7]{12}" is being started$/)],
      [0, 'Superseded', 'SpecSuperseded', '"etl-new" also defines workflow "etl" and is newer'],
    ]);
    expect(plan.actions).toMatchObject([{ kind: 'createRun', frozen: { claim: 1, owner: { name: 'etl-new', uid: 'cm-new' } } }]);
  });

  it('a broken winner starts nothing, and no older text stands in for it', () => {
    const plan = planFor(observed([older, aBrokenWorkflow(etlMap({ createdAt: noon }))]));
    expect(plan.statuses.map(({ status }) => status.state)).toEqual(['Rejected', 'Superseded']);
    expect(shortActs(plan)).toEqual([]);
    expect(plan.demands).toEqual([]);
  });

  it('a claim that is being deleted is told nothing', () => {
    expect(planFor(observed([aWorkflowClaim(onChange(), etlMap({ deleting: true })), newer])).statuses.map(({ claim }) => claim)).toEqual([1]);
  });

  it('without a claim nothing is asked, started or reported: accepted work waits', () => {
    expect(planFor(observedWorkflow(onRequest(), { claims: [], records: [waits, aSubRun('sub')] }))).toEqual({ actions: [], demands: [], statuses: [], missed: [], wakeAt: undefined });
  });
});

describe('the limits of the instance', () => {
  const halt = { state: 'Blocked', reason: 'LimitsBroken', message: 'Limits "team" is broken' } as const;

  it('that keep everything from starting start no run, neither new ones nor those that wait', () => {
    expect(shortActs(planFor(observedWorkflow(onChange({ trigger: { onChange: true, onRequest: true } }), { halt, records: [waits] })))).toEqual([]);
  });

  it('are what the workflow stands at, with what it has', () => {
    expect(stands(observedWorkflow(onRequest(), { halt, records: [aRecord({ name: 'etl-9' })] }))).toEqual(['Blocked', 'LimitsBroken', 'Limits "team" is broken; run "etl-9" is running']);
  });

  it('say nothing about what is suspended or only observes anyway', () => {
    expect([stands(observedWorkflow(onRequest({ suspend: true }), { halt }))[1], stands(observedWorkflow(onRequest({ observe: true }), { halt }))[1]]).toEqual(['SpecSuspended', 'SpecObserved']);
  });
});

describe('templates', () => {
  it('are asked about together, once for each revision', () => {
    const plan = planFor(observedWorkflow(onChange({ steps: [aStep('load')], finally: [aStep('tell', { work: { kind: 'approve', message: '' } })] }), { verdict: undefined }));
    expect(plan.demands).toMatchObject([{ kind: 'verdict', hash: 'hash-1', notBefore: noon, manifests: [{ what: 'step "load"' }] }]);
    expect(planFor(observedWorkflow(onChange())).demands).toEqual([]);
  });

  it.each([
    ['no clear answer: again after a second', verdict('unknown'), seconds(1)],
    ['a refusal: again after half a minute', verdict('refused'), seconds(30)],
    ['a third refusal: after two minutes', verdict('refused', { count: 3 }), minutes(2)],
    ['many: after five minutes', verdict('refused', { count: 99 }), minutes(5)],
  ])('%s', (_sentence, answer, pause) => {
    const plan = planFor(observedWorkflow(onChange(), { verdict: answer }));
    expect(plan.demands[0]?.notBefore).toBe(noon + pause);
    expect(plan.wakeAt).toBe(noon + pause);
  });
});

describe('a refused create', () => {
  const refused = (changes: Parameters<typeof aRefusal>[1] = {}): ObservedWorkflow => observedWorkflow(onChange({ trigger: { onRequest: true, onChange: true }, concurrency: { max: 5 } }), { refusal: aRefusal('quota', changes), records: [waits] });

  it('is tried again after a second, then later each time, and no request waits for that', () => {
    expect(shortActs(planFor(refused()))).toEqual(['admitRun RunStarted etl-waits']);
    expect(planFor(refused()).wakeAt).toBe(noon + seconds(1));
    expect(shortActs(planFor(refused(), noon + seconds(1)))).toEqual(['createRun RunDue change hash-1', 'admitRun RunStarted etl-waits']);
    expect(planFor(refused({ count: 3 })).wakeAt).toBe(noon + seconds(4));
    expect(planFor(refused({ count: 99 })).wakeAt).toBe(noon + seconds(30));
  });

  it.each([
    ['quota', 'QuotaExceeded'],
    ['forbidden', 'Forbidden'],
    ['refused', 'CreateRefused'],
    ['taken', 'JobNameTaken'],
  ] as const)('%s is what the workflow stands at until a create is accepted', (kind, reason) => {
    const observed = { ...refused(), refusal: aRefusal(kind) };
    expect(stands(observed)).toEqual(['Blocked', reason, 'exceeded quota: jobs']);
    expect(stands(observed, noon + hours(1))).toEqual(['Blocked', reason, 'exceeded quota: jobs']);
  });

  it('matters no more when the run is there, or the spec another', () => {
    expect(stands({ ...refused(), records: [aChangeRun('etl-1', 'hash-1')] })).toEqual(['Idle', 'WaitsForRequest', 'run "etl-1" succeeded; waits for a request']);
    expect(stands(refused({ hash: 'hash-0' }))[0]).toBe('Starting');
  });
});

it('actions come in the order owner, cancel, start, delete', () => {
  const spec = onChange({ hash: 'hash-2', onSpecChange: 'replace', trigger: { onChange: true, onRequest: true }, concurrency: { max: 3 }, retention: { succeeded: { count: 0, age: undefined }, failed: { count: 0, age: undefined } } });
  const claims = [aWorkflowClaim(spec, etlMap({ uid: 'cm-0', name: 'older', createdAt: noon - hours(2) })), aWorkflowClaim(spec)];
  const records = [anEndedRun('Failed', noon - hours(1), { name: 'over' }), waits, aChangeRun('before', 'hash-1', { phase: 'Running', ownerUid: 'cm-0' })];
  expect(shortActs(planFor(observedWorkflow(spec, { claims, records })))).toEqual(['reownRun OwnerChanged before', 'cancelRun RunReplaced before', 'admitRun RunStarted etl-waits', 'deleteRun RetentionExceeded over']);
});

it('a file can define a workflow, too', () => {
  const file = aWorkflowClaim(onSchedule({ lines: ['0 12 * * *'] }), aFile());
  expect(shortActs(planFor(observedWorkflow(onSchedule(), { claims: [file] })))).toEqual(['createRun RunDue schedule 2026-01-01T12:00']);
});
