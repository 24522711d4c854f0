import { describe, expect, it } from 'vitest';
import type { ObservedRecord } from '../../../../src/plan/run/record.ts';
import type { ObservedWorkflow } from '../../../../src/plan/workflow/observed.ts';
import { changeName } from '../../../../src/plan/workflow/records.ts';
import { aFile, hours, minutes, noon, seconds } from '../../../support/builders.ts';
import { aChangeRun, anEndedRun, aRecord, aScheduledRun, aWorkflowClaim, aWorkflowSpec, etlMap, observedWorkflow, onChange, planFor, shortActs, stands } from '../../../support/workflows.ts';

const ran = (hash: string, changes: Parameters<typeof aChangeRun>[2] = {}): ObservedRecord => aChangeRun(`etl-${hash}`, hash, changes);
const acts = (records: readonly ObservedRecord[], spec = onChange(), changes: Partial<ObservedWorkflow> = {}): string[] => shortActs(planFor(observedWorkflow(spec, { records, ...changes })));
const starts = ['createRun RunDue change hash-1'];

describe('a run is due for each change', () => {
  it.each([
    ['nothing has run yet', [], starts],
    ['this revision has run', [ran('hash-1')], []],
    ['it failed: that is no change', [ran('hash-1', { phase: 'Failed' })], []],
    ['it was cancelled', [ran('hash-1', { phase: 'Cancelled' })], []],
    ['it is running', [ran('hash-1', { phase: 'Running' })], []],
    ['another revision has run', [ran('hash-0')], starts],
    ['the same text stood in a ConfigMap that was deleted', [ran('hash-1', { request: { source: 'cm-0' } })], starts],
    ['the text went back to what it was two changes ago', [ran('hash-1', { createdAt: noon - hours(2) }), ran('hash-0', { createdAt: noon - hours(1) })], starts],
    ['the newest of several has this revision', [ran('hash-0', { createdAt: noon - hours(2) }), ran('hash-1', { createdAt: noon - hours(1) })], []],
    ['runs of other triggers say nothing', [aScheduledRun(noon - hours(1)), anEndedRun('Succeeded', noon - hours(1), { request: { trigger: 'request', specHash: 'hash-1', source: 'cm-1' } })], starts],
    ['one whose request cannot be read says nothing, and keeps nothing from starting', [aRecord({ request: undefined })], starts],
  ] as const)('%s', (_sentence, records, expected) => {
    expect(acts(records)).toEqual(expected);
  });

  it('only where onChange is true', () => {
    expect(acts([], aWorkflowSpec({ trigger: { onRequest: true } }))).toEqual([]);
  });

  it('a file is its path: a change of its time is none', () => {
    const file = (createdAt: number): ObservedWorkflow['claims'] => [aWorkflowClaim(onChange(), aFile({ path: 'specs/etl.yaml', createdAt }))];
    const record = ran('hash-1', { request: { source: 'specs/etl.yaml' } });
    expect(acts([record], onChange(), { claims: file(noon) })).toEqual([]);
    expect(acts([{ ...record, request: { ...record.request!, source: 'specs/other.yaml' } }], onChange(), { claims: file(noon) })).toEqual(starts);
  });
});

describe('the record of a change run', () => {
  const spec = onChange({ retention: { succeeded: { count: 2, age: undefined }, failed: { count: undefined, age: hours(1) } } });
  const created = (changes: Partial<ObservedWorkflow> = {}, of = spec): unknown => planFor(observedWorkflow(of, changes)).actions[0];

  it('says all that later rounds need', () => {
    expect(created()).toEqual({
      kind: 'createRun',
      reason: 'RunDue',
      because: 'the workflow runs when it changes, and has not run yet',
      name: changeName('default', '', { workflow: 'etl', specHash: 'hash-1', source: 'cm-1' }),
      request: { workflow: 'etl', trigger: 'change', specHash: 'hash-1', source: 'cm-1', retention: { succeeded: { count: 2 }, failed: { age: hours(1) } } },
      parameters: {},
      frozen: { claim: 0, owner: { name: 'etl', uid: 'cm-1' } },
    });
  });

  it('is named from the change run before it, so that a text that comes back runs again', () => {
    const before = ran('hash-0');
    expect(created({ records: [before] })).toMatchObject({ because: 'the workflow has changed since run "etl-hash-0"', name: changeName('default', 'etl-hash-0', { workflow: 'etl', specHash: 'hash-1', source: 'cm-1' }) });
    expect(new Set(['', 'etl-hash-0', 'etl-hash-2'].map((previous) => changeName('default', previous, { workflow: 'etl', specHash: 'hash-1', source: 'cm-1' }))).size).toBe(3);
  });

  it.each([
    ['a spec whose runs finish without it', { ...spec, onSpecDelete: 'finish' } as const, {}],
    ['a file', spec, { claims: [aWorkflowClaim(spec, aFile())] }],
  ])('is owned by nothing for %s', (_sentence, of, changes) => {
    expect(created(changes, of)).toMatchObject({ frozen: { claim: 0, owner: undefined } });
  });

  it('is asked for once: while the cache does not show it nothing else is created', () => {
    const action = created() as { name: string };
    const reservations = new Set([action.name]);
    expect(acts([], spec, { reservations })).toEqual([]);
    expect(stands(observedWorkflow(spec, { reservations }))).toEqual(['Starting', 'RunStarted', `run "${action.name}" was asked for`]);
  });

  it('is not created again where somebody made it unreadable', () => {
    const action = created() as { name: string };
    expect(acts([aRecord({ name: action.name, request: undefined })], spec)).toEqual([]);
    expect(planFor(observedWorkflow(spec, { records: [aRecord({ name: action.name, request: undefined })] })).statuses[0]?.status.health).toBe('Healthy');
  });
});

describe('several changes in the same second', () => {
  it('the newest is the one that no other follows, whatever their names', () => {
    const chain = ['hash-1', 'hash-2', 'hash-3', 'hash-4', 'hash-5'].reduce<ObservedRecord[]>((before, hash) => {
      const name = changeName('default', before.at(-1)?.name ?? '', { workflow: 'etl', specHash: hash, source: 'cm-1' });
      return [...before, aChangeRun(name, hash, { createdAt: noon - seconds(1) })];
    }, []);
    for (const [index, hash] of ['hash-1', 'hash-2', 'hash-3', 'hash-4', 'hash-5'].entries()) {
      const known = chain.slice(0, index + 1);
      expect(acts(known.toReversed(), onChange({ hash, concurrency: { max: 9 } }))).toEqual([]);
      expect(acts(known, onChange({ hash: 'hash-6', concurrency: { max: 9 } }))).toEqual(['createRun RunDue change hash-6']);
    }
  });

  it('where no name tells, it is the larger one, so that all processes think the same', () => {
    const tied = [ran('hash-1', { createdAt: noon }), ran('hash-2', { createdAt: noon })];
    expect(acts(tied, onChange({ hash: 'hash-2' }))).toEqual([]);
    expect(acts(tied.toReversed(), onChange({ hash: 'hash-1' }))).toEqual(starts);
  });
});

describe('a change while an older revision runs', () => {
  const older = ran('hash-0', { phase: 'Running' });

  it('keep: the new revision waits for its turn', () => {
    expect(acts([older])).toEqual([]);
    expect(stands(observedWorkflow(onChange(), { records: [older] }))).toEqual(['Running', 'WorkflowRunning', 'run "etl-hash-0" is running; the run of this revision waits for its turn']);
  });

  it('keep: it starts beside it where there is room', () => {
    expect(acts([older], onChange({ concurrency: { max: 2 } }))).toEqual(starts);
  });

  const replacing = onChange({ onSpecChange: 'replace', concurrency: { max: 5 } });

  it('replace: the older one is asked to end, and only then the new one starts, however much room there is', () => {
    const plan = planFor(observedWorkflow(replacing, { records: [older] }));
    expect(plan.actions).toEqual([{ kind: 'cancelRun', reason: 'RunReplaced', because: 'a newer run replaces it', record: { name: 'etl-hash-0', uid: 'uid-etl-hash-0', resourceVersion: '100' } }]);
    expect(acts([{ ...older, phase: 'Cancelled' }], replacing)).toEqual(starts);
  });

  it('replace: it is asked once', () => {
    const asked = ran('hash-0', { phase: 'Running', commands: { cancel: 'replaced' } });
    expect(acts([asked], replacing)).toEqual([]);
    expect(stands(observedWorkflow(replacing, { records: [asked] }))).toEqual(['Running', 'WorkflowRunning', 'run "etl-hash-0" is running; the run of this revision waits for run "etl-hash-0", which it replaces, to end']);
  });

  it('replace: runs of other triggers, and those that are over, are left alone', () => {
    const others = [aRecord({ name: 'asked-for' }), aScheduledRun(noon - hours(1), { phase: 'Running' }), ran('hash-0')];
    expect(acts(others, replacing)).toEqual(starts);
  });

  it('replace: nothing is cancelled for a revision that cannot run itself', () => {
    expect(acts([older], { ...replacing, suspend: true })).toEqual([]);
    expect(acts([older], { ...replacing, observe: true })).toEqual([]);
    expect(acts([older], replacing, { verdict: undefined })).toEqual([]);
    expect(acts([older], replacing, { reservations: new Set(['etl-new']) })).toEqual(['cancelRun RunReplaced etl-hash-0']);
  });

  it('nothing is due by itself: a change comes with an event', () => {
    expect(planFor(observedWorkflow(onChange(), { records: [older] })).wakeAt).toBeUndefined();
    expect(planFor(observedWorkflow(onChange(), { records: [ran('hash-1', { createdAt: noon - minutes(5) })] })).wakeAt).toBeUndefined();
  });
});

it('a ConfigMap that is created anew under the same name runs again', () => {
  const claims = [aWorkflowClaim(onChange(), etlMap({ uid: 'cm-2', createdAt: noon }))];
  expect(acts([ran('hash-1')], onChange(), { claims })).toEqual(starts);
});
