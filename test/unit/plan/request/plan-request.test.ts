import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../../src/plan/observed.ts';
import type { RequestPlan } from '../../../../src/plan/request/action.ts';
import type { ObservedRequest } from '../../../../src/plan/request/observed.ts';
import { planRequest } from '../../../../src/plan/request/plan-request.ts';
import { recordNameOf } from '../../../../src/plan/request/record-name.ts';
import { statusText } from '../../../../src/plan/status-text.ts';
import type { ObservedRecord, RunCommands } from '../../../../src/plan/run/record.ts';
import type { RunSpec } from '../../../../src/spec/run.ts';
import { aConfigMap, aFile, anEnvironment, aProblem, noon, seconds } from '../../../support/builders.ts';
import { aBrokenWorkflow, aRecord, aWorkflowClaim, aWorkflowSpec, onRequest } from '../../../support/workflows.ts';

const source = aConfigMap({ name: 'first', uid: 'uid-first' });

function aRun(changes: Partial<RunSpec> = {}): RunSpec {
  return { kind: 'Run', name: 'first', hash: 'hash-1', target: { kind: 'workflow', name: 'etl' }, parameters: {}, cancel: undefined, approvals: {}, priority: 0, suspend: false, ...changes };
}
function aRunClaim(spec = aRun(), from: Claim['source'] = source): Claim {
  return { source: from, parsed: { kind: 'Run', name: 'first', hash: spec.hash, spec, problems: [] } };
}
const broken = (): Claim => ({ source, parsed: { kind: 'Run', name: 'first', hash: 'hash-broken', spec: undefined, problems: [aProblem({ message: 'it is broken' })] } });
const recordName = recordNameOf(aRunClaim(), 'default') ?? '';

function its(changes: Parameters<typeof aRecord>[0] = {}): ObservedRecord {
  return aRecord({ name: recordName, ...changes, request: { run: 'first', source: 'uid-first', specHash: 'hash-1', ...changes.request } });
}

function observed(changes: Partial<ObservedRequest> = {}): ObservedRequest {
  return { key: { kind: 'request', name: 'first' }, claims: [aRunClaim()], recordsUnknown: undefined, record: undefined, reserved: false, target: aWorkflowClaim(onRequest()), refusal: undefined, ...changes };
}
const planned = (changes: Partial<ObservedRequest> = {}, now = noon): RequestPlan => planRequest(observed(changes), anEnvironment(), now);
const stand = (changes: Partial<ObservedRequest> = {}, now = noon): unknown[] => {
  const { state, reason, message, health } = planned(changes, now).statuses[0]?.status ?? {};
  return [state, reason, message, health];
};

describe('a Run whose run was not asked for', () => {
  it('asks for it', () => {
    const spec = aRun({ parameters: { day: 'monday' }, priority: 3 });
    const target = aWorkflowClaim(onRequest({ parameters: { day: { type: 'string', schema: { type: 'string' }, default: undefined, optional: false } } }));
    expect(planned({ claims: [aRunClaim(spec)], target }).actions).toEqual([{
      kind: 'askRun', reason: 'RunDue', because: 'Run "first" asks for it', name: recordName, claim: 0, parameters: { day: 'monday' },
      request: { workflow: 'etl', trigger: 'request', run: 'first', source: 'uid-first', specHash: 'hash-1', priority: 3, retention: { succeeded: { count: 3 }, failed: { count: 10, age: 604_800_000 } } },
    }]);
  });

  it('looks again where it has asked and sees no record: one that came and went unseen is told of by nobody', () => {
    expect(planned({ reserved: true }).wakeAt).toBe(noon + seconds(15));
  });

  it.each<[string, Partial<ObservedRequest>, unknown[]]>([
    ['nobody knows whether it was', { recordsUnknown: { reason: 'RecordsUnread', message: 'no answer' } }, ['Blocked', 'RecordsUnread', 'no answer', 'Degraded']],
    ['its text is broken', { claims: [broken()] }, ['Rejected', 'SpecRejected', expect.stringContaining('it is broken'), 'Degraded']],
    ['it is suspended', { claims: [aRunClaim(aRun({ suspend: true }))] }, ['Suspended', 'SpecSuspended', 'suspend is true: the run is not asked for', 'Healthy']],
    ['it is cancelled', { claims: [aRunClaim(aRun({ cancel: 'why not' }))] }, ['Cancelled', 'RunCancelled', 'cancelled before it was asked for: why not', 'Healthy']],
    ['nothing defines what is to run', { target: undefined }, ['Waiting', 'TargetUnknown', 'waits for workflow "etl", which nothing defines', 'Progressing']],
    ['what is to run has errors', { target: aBrokenWorkflow() }, ['Waiting', 'TargetBroken', 'waits for workflow "etl", whose spec has errors', 'Progressing']],
    ['what is to run takes no requests', { target: aWorkflowClaim(aWorkflowSpec()) }, ['Waiting', 'RequestRefused', 'workflow "etl" takes no requests: its trigger has no onRequest: true', 'Progressing']],
    ['its parameters do not fit', { claims: [aRunClaim(aRun({ parameters: { day: 3 } }))] }, ['Rejected', 'ParametersRefused', 'parameters.day: there is no parameter "day"; none are declared', 'Degraded']],
    ['its name was asked for just now', { reserved: true }, ['Starting', 'RunDue', `run "${recordName}" is asked for`, 'Progressing']],
  ])('asks for nothing where %s', (_why, changes, expected) => {
    expect(stand(changes)).toEqual(expected);
    expect(planned(changes).actions).toEqual([]);
  });

  it('tries again a while after it was refused, and at once with another text', () => {
    const refusal = { kind: 'quota', hash: 'hash-1', message: 'exceeded quota', at: noon, count: 2 } as const;
    expect(stand({ refusal })).toEqual(['Blocked', 'QuotaExceeded', 'exceeded quota', 'Degraded']);
    expect(planned({ refusal }).wakeAt).toBe(noon + seconds(2));
    expect(planned({ refusal }, noon + seconds(2)).actions).toHaveLength(1);
    expect(planned({ refusal: { ...refusal, hash: 'hash-0' } }).actions).toHaveLength(1);
  });

  it('does not ask again where its status tells of a run whose record is gone', () => {
    const told = (state: string, name = recordName): Claim => aRunClaim(aRun(), aConfigMap({ name: 'first', uid: 'uid-first', writtenStatus: JSON.stringify({ state, run: { name, createdAt: 'x' } }) }));
    expect(stand({ claims: [told('Succeeded')] })).toEqual(['Succeeded', 'RunForgotten', `the record of run "${recordName}" was deleted; it succeeded`, 'Healthy']);
    expect(stand({ claims: [told('Running')] })).toEqual(['Failed', 'RunForgotten', `the record of run "${recordName}" was deleted before the run had ended`, 'Degraded']);
    expect(planned({ claims: [told('Succeeded')] })).toMatchObject({ actions: [], statuses: [{ status: { run: { name: recordName, createdAt: 'x' } } }] });
    expect(planned({ claims: [told('Succeeded', 'of another one')] }).actions).toHaveLength(1);
    expect(planned({ claims: [aRunClaim(aRun(), aConfigMap({ name: 'first', uid: 'uid-first', writtenStatus: '{' }))] }).actions).toHaveLength(1);
  });
});

describe('the name of the record', () => {
  it('is that of the ConfigMap, whatever its text says', () => {
    const names = [aRunClaim(), aRunClaim(aRun({ name: 'other', hash: 'hash-2', target: { kind: 'template', name: 'x' } })), broken()].map((claim) => recordNameOf(claim, 'default'));
    expect(new Set(names)).toEqual(new Set([recordName]));
    expect(recordNameOf(aRunClaim(aRun(), aConfigMap({ name: 'first', uid: 'uid-second' })), 'default')).not.toBe(recordName);
    expect(recordNameOf(aRunClaim(), 'blue')).not.toBe(recordName);
  });

  it('of a file is that of its path and its text', () => {
    const file = (hash: string | undefined, path = 'runs/a.yaml'): string | undefined => {
      const claim = aRunClaim(aRun({ hash: hash ?? '' }), aFile({ path }));
      return recordNameOf(hash === undefined ? { ...claim, parsed: { ...claim.parsed, hash: undefined } } : claim, 'default');
    };
    expect(new Set([file('hash-1'), file('hash-2'), file('hash-1', 'runs/b.yaml'), file('hash-1')]).size).toBe(3);
    expect(file(undefined)).toBeUndefined();
  });
});

describe('a Run whose run was asked for', () => {
  const over = (phase: ObservedRecord['phase'], outcome: 'succeeded' | 'failed' | 'cancelled', message: string): ObservedRecord => its({ phase, result: { outcome, message, reason: 'x', startedAt: noon, finishedAt: noon + 1000, failedSteps: [] } });

  it.each<[string, Partial<ObservedRequest>, unknown[]]>([
    ['it waits', { record: its({ phase: 'Queued' }) }, ['Queued', 'RunQueued', `run "${recordName}" waits for its turn`, 'Progressing']],
    ['it waits for what is gone', { record: its({ phase: 'Queued' }), target: undefined }, ['Queued', 'RunQueued', `run "${recordName}" waits for workflow "etl", which nothing defines any more`, 'Progressing']],
    ['it waits for what is suspended', { record: its({ phase: 'Queued' }), target: aWorkflowClaim(onRequest({ suspend: true })) }, ['Queued', 'RunQueued', `run "${recordName}" waits for workflow "etl", which is suspended`, 'Progressing']],
    ['it waits for what is broken', { record: its({ phase: 'Queued' }), target: aBrokenWorkflow() }, ['Queued', 'RunQueued', `run "${recordName}" waits for workflow "etl", which has errors`, 'Progressing']],
    ['it runs', { record: its() }, ['Running', 'RunStarted', `run "${recordName}" is running`, 'Progressing']],
    ['it is suspended', { record: its({ phase: 'Suspended' }) }, ['Suspended', 'RunSuspended', `run "${recordName}" is suspended`, 'Healthy']],
    ['it is being cancelled', { record: its({ commands: { cancel: 'enough' } }) }, ['Running', 'RunStarted', `run "${recordName}" is running; it is being cancelled: enough`, 'Progressing']],
    ['it succeeded', { record: over('Succeeded', 'succeeded', '1 of 1 steps succeeded') }, ['Succeeded', 'RunSucceeded', `run "${recordName}" succeeded: 1 of 1 steps succeeded`, 'Healthy']],
    ['it failed', { record: over('Failed', 'failed', 'step "a" failed') }, ['Failed', 'RunFailed', `run "${recordName}" failed: step "a" failed`, 'Degraded']],
    ['somebody cancelled it', { record: over('Cancelled', 'cancelled', 'enough') }, ['Cancelled', 'RunCancelled', `run "${recordName}" was cancelled: enough`, 'Degraded']],
    ['git cancelled it', { claims: [aRunClaim(aRun({ cancel: 'enough' }))], record: over('Cancelled', 'cancelled', 'enough') }, ['Cancelled', 'RunCancelled', `run "${recordName}" was cancelled: enough`, 'Healthy']],
    ['it was edited', { claims: [aRunClaim(aRun({ hash: 'hash-2' }))], record: its() }, ['Running', 'RunChanged', expect.stringMatching(/^what it asks for was changed .* is running$/), 'Progressing']],
    ['its text is broken now', { claims: [broken()], record: its() }, ['Running', 'RunChanged', expect.stringMatching(/^the text cannot be used any more \(.*it is broken.*\), and nothing of it counts; run/), 'Progressing']],
  ])('says so: %s', (_what, changes, expected) => {
    expect(stand(changes)).toEqual(expected);
    expect(planned(changes).actions).toEqual([]);
  });

  it('has outputs and failed steps in its status, as far as there is room', () => {
    const withOutputs = (text: string): ObservedRecord => its({ phase: 'Succeeded', result: { outcome: 'succeeded', message: '', reason: 'x', startedAt: noon, finishedAt: noon + 1000, failedSteps: Array.from({ length: 50 }, (_, n) => `step-${n}`), outputs: { text } } });
    const runOf = (record: ObservedRecord) => planned({ record }).statuses[0]?.status;
    expect(runOf(withOutputs('short'))?.run).toMatchObject({ name: recordName, outcome: 'succeeded', startedAt: '2026-01-01T12:00:00.000Z', outputs: { text: 'short' }, failedSteps: Array.from({ length: 10 }, (_, n) => `step-${n}`) });
    const large = runOf(withOutputs('x'.repeat(5000)));
    expect(large?.run).toMatchObject({ outputsIn: 'record' });
    expect(large?.run).not.toHaveProperty('outputs');
    expect(Buffer.byteLength(large ? statusText(large) : '')).toBeLessThanOrEqual(4096);
  });

  const commanded = (spec: Partial<RunSpec>, commands: Partial<RunCommands> = {}, phase: ObservedRecord['phase'] = 'Running'): unknown => {
    const [action] = planned({ claims: [aRunClaim(aRun(spec))], record: its({ phase, commands }) }).actions;
    return action?.kind === 'commandRun' ? action.commands : undefined;
  };

  it.each<[string, Partial<RunSpec>, Partial<RunCommands>, unknown]>([
    ['nothing', {}, {}, undefined],
    ['that it is cancelled', { cancel: 'enough' }, {}, { cancel: 'enough' }],
    ['nothing where it is being cancelled', { cancel: 'enough' }, { cancel: 'somebody was first' }, undefined],
    ['what is approved, and keeps what others approved', { approvals: { deploy: 'approved', load: 'rejected' } }, { approvals: new Map([['ask', 'approved'], ['load', 'approved']]) }, { approvals: 'ask,load=rejected,deploy' }],
    ['nothing where all is approved', { approvals: { deploy: 'approved' } }, { approvals: new Map([['deploy', 'approved']]) }, undefined],
    ['that it is suspended', { suspend: true }, {}, { suspend: 'run' }],
    ['nothing where it is suspended', { suspend: true }, { suspend: true }, undefined],
    ['that it goes on', {}, { suspend: true, suspendedByRun: true }, { suspend: null }],
    ['nothing where a person suspended it', {}, { suspend: true }, undefined],
  ])('tells its record %s', (_what, spec, commands, expected) => {
    expect(commanded(spec, commands)).toEqual(expected);
    expect(commanded(spec, commands, 'Succeeded')).toBeUndefined();
  });
});

describe('what the status of a Run remembers', () => {
  const run = { name: recordName, createdAt: '2026-01-01T12:00:00.000Z', outcome: 'succeeded' };
  const remembering = (state: string, name = 'first', createdAt = noon): Claim => aRunClaim(aRun(), aConfigMap({ name, uid: 'uid-first', createdAt, writtenStatus: JSON.stringify({ state, run }) }));

  it.each<[string, Partial<ObservedRequest>]>([
    ['while nobody can read records', { recordsUnknown: { reason: 'RecordsUnread', message: 'no answer' } }],
    ['while another ConfigMap has its name', { claims: [remembering('Succeeded'), aRunClaim(aRun(), aConfigMap({ name: 'newer', uid: 'uid-newer', createdAt: noon + 1000 }))] }],
    ['while its name is asked for', { reserved: true }],
    ['once the record is gone', {}],
  ])('stays in it %s', (_when, changes) => {
    const plan = planned({ claims: [remembering('Succeeded')], ...changes });
    expect(plan.statuses.find(({ claim }) => claim === 0)?.status.run).toEqual(run);
  });

  it('is enough to run nothing again, and to tell how it ended, when the last thing that was written was that records cannot be read', () => {
    const { actions, statuses } = planned({ claims: [remembering('Blocked')] });
    expect(actions).toEqual([]);
    expect(statuses[0]?.status).toMatchObject({ state: 'Succeeded', reason: 'RunForgotten', run });
  });
});

it('of two ConfigMaps with one name the newer one asks', () => {
  const older = aRunClaim(aRun(), aConfigMap({ name: 'older', uid: 'uid-older', createdAt: noon - 5000 }));
  const newer = aRunClaim(aRun(), aConfigMap({ name: 'newer', uid: 'uid-newer', createdAt: noon }));
  const plan = planned({ claims: [older, newer] });
  expect(plan.actions).toMatchObject([{ kind: 'askRun', claim: 1 }]);
  expect(plan.statuses.map(({ claim, status: { state } }) => [claim, state])).toEqual([[1, 'Starting'], [0, 'Superseded']]);
});

it('a Run that is gone asks for nothing', () => {
  expect(planned({ claims: [] })).toMatchObject({ actions: [], statuses: [], wakeAt: undefined });
  expect(planned({ claims: [aRunClaim(aRun(), aConfigMap({ deleting: true }))] }).actions).toEqual([]);
});
