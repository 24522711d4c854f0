import { describe, expect, it } from 'vitest';
import type { Status } from '../../../../src/plan/action.ts';
import { statusText } from '../../../../src/plan/status-text.ts';
import type { ObservedRecord } from '../../../../src/plan/run/record.ts';
import type { ObservedWorkflow } from '../../../../src/plan/workflow/observed.ts';
import type { WorkflowSpec } from '../../../../src/spec/workflow.ts';
import { aProblem, aRefusal, hours, minutes, noon, passed, verdict } from '../../../support/builders.ts';
import { aBrokenWorkflow, aChangeRun, anEndedRun, aQueuedRun, aRecord, aScheduledRun, aWorkflowClaim, aWorkflowSpec, etlMap, nightly, observedWorkflow, onChange, onRequest, onSchedule, planFor, stands } from '../../../support/workflows.ts';

function statusOf(spec: WorkflowSpec, records: readonly ObservedRecord[] = [], changes: Partial<ObservedWorkflow> = {}): Status {
  return planFor(observedWorkflow(spec, { records, ...changes })).statuses[0]!.status;
}
const failed = (changes: Parameters<typeof anEndedRun>[2] = {}): ObservedRecord => anEndedRun('Failed', noon - minutes(1), { name: 'etl-bad', result: { message: 'step "load" failed: exit code 3', reason: 'StepFailed' }, ...changes });

describe('what a workflow stands at when nothing keeps it from starting', () => {
  it.each([
    ['nothing has ever run', aWorkflowSpec(), [], ['Idle', 'WorkflowIdle', 'nothing to run']],
    ['a request is what it waits for', onRequest(), [], ['Idle', 'WaitsForRequest', 'waits for a request']],
    ['a time is what it waits for', onSchedule(), [], ['Idle', 'WaitsForSchedule', 'next run at 2026-01-02T02:00:00.000Z']],
    ['a time, and requests may come', aWorkflowSpec({ trigger: { schedule: nightly(), onRequest: true } }), [], ['Idle', 'WaitsForSchedule', 'next run at 2026-01-02T02:00:00.000Z']],
    ['the run of a change succeeded', onChange(), [aChangeRun('etl-1', 'hash-1')], ['Idle', 'WorkflowIdle', 'run "etl-1" succeeded']],
    ['the last run failed', onRequest(), [failed(), anEndedRun('Succeeded', noon - minutes(9))], ['Idle', 'WaitsForRequest', 'run "etl-bad" failed: step "load" failed: exit code 3; waits for a request']],
    ['the last run was cancelled', onSchedule(), [anEndedRun('Cancelled', noon - minutes(1))], ['Idle', 'WaitsForSchedule', 'run "etl-1" was cancelled; next run at 2026-01-02T02:00:00.000Z']],
    ['one runs', onRequest(), [aRecord()], ['Running', 'WorkflowRunning', 'run "etl-1" is running']],
    ['two run', onRequest(), [aRecord(), aRecord({ name: 'etl-2' })], ['Running', 'WorkflowRunning', 'runs "etl-1" and "etl-2" are running']],
    ['many run', onRequest(), [aRecord(), aRecord({ name: 'etl-2' }), aRecord({ name: 'etl-3' })], ['Running', 'WorkflowRunning', '3 runs are running']],
    ['one of a template runs', aWorkflowSpec({ kind: 'Template', trigger: { onRequest: true } }), [aRecord()], ['Running', 'TemplateRunning', 'run "etl-1" is running']],
    ['one is suspended', onRequest(), [aRecord({ phase: 'Suspended' })], ['Running', 'WorkflowRunning', 'run "etl-1" is suspended']],
    ['one runs beside one that is suspended', onRequest(), [aRecord(), aRecord({ name: 'etl-2', phase: 'Suspended' })], ['Running', 'WorkflowRunning', 'runs "etl-1" and "etl-2" are running']],
    ['a record cannot be read', onRequest(), [aRecord({ request: undefined }), failed({ request: undefined })], ['Idle', 'WaitsForRequest', 'waits for a request']],
  ] as const)('%s', (_sentence, spec, records, stand) => {
    expect(stands(observedWorkflow(spec, { records }))).toEqual(stand);
  });

  it('a run that waits for somebody says so before anything else, with the command', () => {
    const asks = new Map([['etl-2', 'step "deploy" waits to be approved: job-chief approve etl-2 deploy'], ['gone', 'step "x" waits']]);
    expect(stands(observedWorkflow(onRequest(), { records: [aRecord(), aRecord({ name: 'etl-2' })], asks }))).toEqual(['Running', 'WaitsForApproval', 'run "etl-2": step "deploy" waits to be approved: job-chief approve etl-2 deploy']);
  });

  it('nothing in it moves by itself', () => {
    for (const spec of [onRequest(), onSchedule(), onChange()]) {
      const view = observedWorkflow(spec, { records: [aChangeRun('etl-1', 'hash-1'), aQueuedRun('waits', { commands: { suspend: true } })] });
      expect(planFor(view, noon + hours(1)).statuses).toEqual(planFor(view, noon).statuses);
    }
  });
});

describe('the status of a claim', () => {
  it('says what a request may set, and nothing where nobody may ask', () => {
    const parameters = { day: { type: 'string', schema: { type: 'string' }, default: undefined, optional: false } } as const;
    expect(statusOf(aWorkflowSpec({ trigger: { onRequest: true }, parameters })).parameters).toEqual({ day: 'string, required' });
    expect(statusOf(aWorkflowSpec({ trigger: { onChange: true }, parameters })).parameters).toBeUndefined();
  });

  it('stays below 4 KiB, however much there is to say', () => {
    const long = 'ä"'.repeat(2000);
    const parameters = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`parameter-${n}`, { type: 'string', schema: { type: 'string', description: long }, default: long, optional: false } as const]));
    const status = statusOf(aWorkflowSpec({ trigger: { onRequest: true }, parameters }), [failed({ result: { message: long, reason: 'StepFailed' } })]);
    expect(Buffer.byteLength(statusText(status))).toBeLessThanOrEqual(4096);
    expect(status.parameters?.['…']).toMatch(/^\d+ more$/);
  });

  it('says everything in one document', () => {
    const records = [failed(), aRecord({ name: 'etl-2' }), aQueuedRun('etl-3'), aQueuedRun('etl-4')];
    expect(statusOf(aWorkflowSpec({ trigger: { schedule: nightly(), onRequest: true } }), records)).toEqual({
      state: 'Running',
      reason: 'WorkflowRunning',
      message: 'run "etl-2" is running; 2 runs wait for their turn',
      health: 'Healthy',
      observedHash: 'hash-1',
      conditions: [
        { type: 'Accepted', status: 'True', reason: 'SpecAccepted', message: '' },
        { type: 'Progressing', status: 'True', reason: 'WorkflowRunning', message: '' },
        { type: 'LastRun', status: 'False', reason: 'StepFailed', message: 'run "etl-bad": failed, step "load" failed: exit code 3' },
      ],
      lastRun: { run: 'etl-bad', outcome: 'failed', reason: 'StepFailed', message: 'step "load" failed: exit code 3', finishedAt: '2026-01-01T11:59:00.000Z' },
      activeRuns: 1,
      queuedRuns: 2,
      schedule: { id: expect.any(String) as string, from: '2026-01-01T11:00:00.000Z', next: '2026-01-02T02:00:00.000Z' },
    });
  });

  it('a run that is over and whose result somebody broke still says how it came out', () => {
    expect(statusOf(onRequest(), [failed({ name: 'etl-odd' })].map((record) => ({ ...record, result: undefined }))).lastRun).toEqual({ run: 'etl-odd', outcome: 'failed', reason: 'RunFailed', message: '', finishedAt: '2026-01-01T11:58:00.000Z' });
  });

  it('warnings of the text and of the dry run are in it', () => {
    const claims = [aWorkflowClaim(onRequest(), etlMap(), [aProblem({ severity: 'warning', message: 'old field' })])];
    expect(statusOf(onRequest(), [], { claims, verdict: passed('hash-1', ['step "load": would violate PodSecurity']) }).conditions[0]?.message).toBe('old field; step "load": would violate PodSecurity');
  });

  it.each(['x', '"', '漢', '😀', '\u0001'])('stays below 4 KiB, also with long texts of %j', (character) => {
    const text = character.repeat(4000);
    const claims = [aWorkflowClaim(onSchedule(), etlMap({ name: 'n'.repeat(253), writtenStatus: JSON.stringify({ schedule: { id: 'i', from: '2026-01-01T00:00:00Z' } }) }), [aProblem({ severity: 'warning', message: text })])];
    const records = [failed({ name: 'n'.repeat(52), result: { message: text, reason: text } })];
    for (const status of [statusOf(onSchedule(), records, { claims }), statusOf(onSchedule(), records, { claims, verdict: verdict('refused', { message: text }) }), statusOf(onChange(), records, { refusal: aRefusal('quota', { message: text }) })]) {
      expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThanOrEqual(4096);
    }
  });
});

describe('health', () => {
  const changed = (phase: ObservedRecord['phase'], changes: Parameters<typeof aChangeRun>[2] = {}): ObservedRecord => aChangeRun('etl-1', 'hash-1', { phase, ...(phase === 'Running' ? { result: undefined } : {}), ...changes });
  const mixed = aWorkflowSpec({ trigger: { onChange: true, schedule: nightly() } });

  it.each([
    ['a revision that has not run is on its way', onChange(), [], {}, 'Progressing'],
    ['also while an older one runs', onChange(), [aChangeRun('etl-0', 'hash-0', { phase: 'Running', result: undefined })], {}, 'Progressing'],
    ['also after an older one succeeded', onChange(), [aChangeRun('etl-0', 'hash-0')], {}, 'Progressing'],
    ['also after an older one failed', onChange(), [aChangeRun('etl-0', 'hash-0', { phase: 'Failed' })], {}, 'Progressing'],
    ['also where its create is refused', onChange(), [], { refusal: aRefusal('quota') }, 'Progressing'],
    ['one whose templates are being checked is on its way', onChange(), [], { verdict: undefined }, 'Progressing'],
    ['one that runs is on its way', onChange(), [changed('Running')], {}, 'Progressing'],
    ['one that is suspended in mid-run is, too', onChange(), [changed('Suspended')], {}, 'Progressing'],
    ['one that succeeded is healthy', onChange(), [changed('Succeeded')], {}, 'Healthy'],
    ['one that failed is degraded', onChange(), [changed('Failed')], {}, 'Degraded'],
    ['so is one that was cancelled', onChange(), [changed('Cancelled')], {}, 'Degraded'],
    ['a run that repeated it and succeeded heals it', onChange(), [changed('Failed'), anEndedRun('Succeeded', noon, { request: { rerunOf: { run: 'etl-1', uid: 'uid-etl-1' } } })], {}, 'Healthy'],
    ['nobody waits where the spec says that runs do not count', onChange({ health: { includeLastRun: false } }), [changed('Failed')], {}, 'Healthy'],
    ['nor for a run that has not begun there', onChange({ health: { includeLastRun: false } }), [], {}, 'Healthy'],
    ['nor where runs are suspended', onChange({ suspend: true }), [], {}, 'Healthy'],
    ['nor where the instance is', onChange(), [], { halt: { state: 'Suspended', reason: 'InstanceSuspended', message: '' } }, 'Healthy'],
    ['where its group is unknown it is on its way: the Limits may come with the same sync', onChange(), [], { halt: { state: 'Blocked', reason: 'GroupUnknown', message: '' } }, 'Progressing'],
    ['nor where they are only observed', onChange({ observe: true }), [], {}, 'Healthy'],
    ['nor for a workflow that does not run on change', onRequest({ health: { includeLastRun: true } }), [aRecord()], {}, 'Healthy'],
    ['there a failure counts where the spec says so', onRequest({ health: { includeLastRun: true } }), [failed()], {}, 'Degraded'],
    ['and not where it does not', onRequest(), [failed()], {}, 'Healthy'],
    ['with a schedule, once the change has run, the last run of any kind counts', mixed, [changed('Succeeded', { createdAt: noon - hours(9) }), aScheduledRun(noon - hours(1), { phase: 'Failed' })], {}, 'Degraded'],
    ['a broken spec is degraded', onChange(), [changed('Succeeded')], { claims: [aBrokenWorkflow()] }, 'Degraded'],
    ['a refused template is degraded', onChange(), [], { verdict: verdict('refused') }, 'Degraded'],
    ['records that are not read yet tell nothing', onChange(), [], { recordsUnknown: { reason: 'RecordsUnread', message: '' } }, 'Progressing'],
    ['where they may not be read no run will come', onChange(), [], { recordsUnknown: { reason: 'Forbidden', message: '' } }, 'Degraded'],
    ['where they are switched off neither', onChange(), [], { recordsUnknown: { reason: 'RecordsOff', message: '' } }, 'Degraded'],
    ['which matters only where a run is waited for', onRequest(), [], { recordsUnknown: { reason: 'RecordsOff', message: '' } }, 'Healthy'],
  ] as const)('%s', (_sentence, spec, records, changes, health) => {
    expect(statusOf(spec, records, changes).health).toBe(health);
  });

  it('a superseded claim has no runs of its own', () => {
    const claims = [aWorkflowClaim(onChange(), etlMap({ uid: 'cm-0', createdAt: noon - hours(9) })), aWorkflowClaim(onChange())];
    const { statuses } = planFor(observedWorkflow(onChange(), { claims, records: [changed('Failed')] }));
    expect(statuses.map(({ status }) => [status.state, status.health, status.lastRun?.run, status.activeRuns])).toEqual([
      ['Idle', 'Degraded', 'etl-1', 0],
      ['Superseded', 'Healthy', undefined, undefined],
    ]);
  });
});
