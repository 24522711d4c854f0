import { describe, expect, it } from 'vitest';
import type { ObservedRecord } from '../../../../src/plan/run/record.ts';
import type { ObservedWorkflow } from '../../../../src/plan/workflow/observed.ts';
import { aFile, hours, minutes, noon } from '../../../support/builders.ts';
import { aChangeRun, anEndedRun, aQueuedRun, aRecord, aSubRun, aWorkflowClaim, aWorkflowSpec, observedWorkflow, onChange, onRequest, planFor, shortActs, stands } from '../../../support/workflows.ts';

const acts = (records: readonly ObservedRecord[], spec = onRequest(), changes: Partial<ObservedWorkflow> = {}): string[] => shortActs(planFor(observedWorkflow(spec, { records, ...changes })));
const admits = (...names: string[]): string[] => names.map((name) => `admitRun RunStarted ${name}`);
const some = (max: number): ReturnType<typeof onRequest> => onRequest({ concurrency: { max } });

describe('a run that was asked for', () => {
  it('gets the text as it is now, and may start; nothing in git owns it', () => {
    expect(planFor(observedWorkflow(onRequest(), { records: [aQueuedRun('one')] })).actions).toEqual([
      { kind: 'admitRun', reason: 'RunStarted', because: 'its turn has come', record: { name: 'one', uid: 'uid-one', resourceVersion: '100' }, frozen: { claim: 0, owner: undefined } },
    ]);
  });

  it.each([
    ['there is room', [], ['one']],
    ['another runs', [aRecord()], []],
    ['another is suspended: it is not over', [aRecord({ phase: 'Suspended' })], []],
    ['a change run runs', [aChangeRun('changed', 'hash-0', { phase: 'Running' })], []],
    ['others are over', [anEndedRun('Failed', noon - minutes(1)), anEndedRun('Succeeded', noon - minutes(1), { name: 'etl-2' })], ['one']],
    ['another runs whose request cannot be read', [aRecord({ request: undefined })], ['one']],
  ] as const)('starts as room allows: %s', (_sentence, others, names) => {
    expect(acts([...others, aQueuedRun('one')])).toEqual(admits(...names));
  });

  it.each([
    ['was cancelled', { commands: { cancel: 'not needed' } }],
    ['is suspended', { commands: { suspend: true } }],
    ['is being deleted', { deleting: true }],
    ['cannot be read', { request: undefined }],
  ])('does not start while it %s', (_sentence, changes) => {
    expect(acts([aQueuedRun('one', changes)])).toEqual([]);
  });

  it.each([
    ['suspended', { suspend: true }],
    ['only observed', { observe: true }],
  ])('waits while the workflow is %s', (_sentence, changes) => {
    expect(acts([aQueuedRun('one'), aSubRun('sub')], onRequest(changes))).toEqual([]);
  });

  it('waits visibly where the trigger takes no requests', () => {
    const view = observedWorkflow(onChange(), { records: [aChangeRun('changed', 'hash-1'), aQueuedRun('one'), aQueuedRun('two')] });
    expect(shortActs(planFor(view))).toEqual([]);
    expect(stands(view)).toEqual(['Waiting', 'RunQueued', 'run "changed" succeeded; runs "one" and "two" wait until trigger.onRequest is true']);
  });

  it('is taken whatever the trigger says where it repeats a run that there was', () => {
    expect(acts([aChangeRun('changed', 'hash-1', { phase: 'Failed' }), aQueuedRun('again', { request: { rerunOf: { run: 'changed', uid: 'uid-changed' } } })], onChange())).toEqual(admits('again'));
  });
});

describe('the order in which runs start', () => {
  const older = aQueuedRun('older', { createdAt: noon - minutes(9) });
  const newer = aQueuedRun('newer', { createdAt: noon - minutes(1) });
  const urgent = aQueuedRun('urgent', { createdAt: noon, request: { priority: 5 } });
  const lax = aQueuedRun('lax', { createdAt: noon - hours(1), request: { priority: -1 } });

  it.each([
    [1, ['urgent']],
    [2, ['urgent', 'older']],
    [3, ['urgent', 'older', 'newer']],
    [9, ['urgent', 'older', 'newer', 'lax']],
  ])('by priority, then by age: %i at once', (max, names) => {
    expect(acts([newer, lax, urgent, older], some(max))).toEqual(admits(...names));
  });

  it('of the same age by name, so that every process thinks the same', () => {
    expect(acts([aQueuedRun('b'), aQueuedRun('c'), aQueuedRun('a')], some(2))).toEqual(admits('a', 'b'));
  });

  it('a change comes before requests of the same priority', () => {
    const spec = aWorkflowSpec({ trigger: { onChange: true, onRequest: true }, concurrency: { max: 2 } });
    expect(acts([older, newer], spec)).toEqual(['createRun RunDue change hash-1', ...admits('older')]);
    expect(acts([older, urgent], { ...spec, concurrency: { max: 1 } })).toEqual(admits('urgent'));
  });

  it('records that the cache does not show yet have their place', () => {
    expect(acts([older, newer], some(3), { reservations: new Set(['unseen-1', 'unseen-2']) })).toEqual(admits('older'));
    expect(acts([older, newer], some(2), { reservations: new Set(['older']) })).toEqual(admits('older', 'newer'));
  });

  it.each([
    ['one waits', [older], 'run "etl-1" is running; run "older" waits for its turn'],
    ['several wait', [older, newer], 'run "etl-1" is running; 2 runs wait for their turn'],
  ])('%s', (_sentence, queued, message) => {
    expect(stands(observedWorkflow(onRequest(), { records: [aRecord(), ...queued] }))).toEqual(['Running', 'WorkflowRunning', message]);
  });

  it.each([
    ['one', [older], 'run "older" is being started'],
    ['two', [older, newer], 'runs "older" and "newer" are being started'],
    ['more', [older, newer, urgent], '3 runs are being started; run "lax" waits for its turn'],
  ])('what is being started is said: %s', (_sentence, queued, message) => {
    expect(stands(observedWorkflow(some(3), { records: queued.length < 3 ? queued : [...queued, lax] }))).toEqual(['Starting', 'RunStarted', message]);
  });
});

describe('a run that a step of another run waits for', () => {
  it('needs no trigger', () => {
    const view = observedWorkflow(aWorkflowSpec(), { records: [aSubRun('sub')] });
    expect(planFor(view).actions).toMatchObject([{ kind: 'admitRun', because: 'run "parent-1" waits for it in step "sub"', frozen: { owner: undefined } }]);
  });

  it('waits for room like any other', () => {
    expect(acts([aRecord(), aSubRun('sub')])).toEqual([]);
  });

  it('takes no room that it would wait for itself: its parent is a run of the same workflow', () => {
    expect(acts([aRecord({ name: 'parent-1' }), aSubRun('sub')])).toEqual(admits('sub'));
  });

  it('nor where a run of the same workflow stands further up', () => {
    expect(acts([aRecord(), aSubRun('sub', { depth: 2, within: ['etl', 'other'] })])).toEqual(admits('sub'));
    expect(acts([aRecord(), aSubRun('sub', { depth: 2, within: ['other'] })])).toEqual([]);
  });

  it('such a run has a place as others see it', () => {
    const records = [aRecord({ name: 'parent-1' }), aSubRun('sub'), aQueuedRun('asked-for')];
    expect(acts(records, some(2))).toEqual(admits('asked-for', 'sub'));
    expect(acts([aRecord({ name: 'parent-1' }), aRecord({ name: 'sub' }), aQueuedRun('asked-for')], some(2))).toEqual([]);
  });
});

it('the text that a run gets is that of the claim that won', () => {
  const spec = onRequest();
  const claims = [aWorkflowClaim(spec), aWorkflowClaim(spec, aFile({ createdAt: noon }))];
  expect(planFor(observedWorkflow(spec, { claims, records: [aQueuedRun('one')] })).actions).toMatchObject([{ frozen: { claim: 1 } }]);
});
