/** Workflows, their records and whole observations for tests: say what matters, the rest is plain and healthy. */
import type { Claim } from '../../src/plan/observed.ts';
import type { ObservedRecord, RunPhase, RunRequest, RunResult } from '../../src/plan/run/record.ts';
import type { WorkflowAction, WorkflowPlan } from '../../src/plan/workflow/action.ts';
import type { ObservedWorkflow } from '../../src/plan/workflow/observed.ts';
import { planWorkflow } from '../../src/plan/workflow/plan-workflow.ts';
import { noMetadata } from '../../src/spec/common.ts';
import type { Problem } from '../../src/spec/problem.ts';
import type { ScheduleSpec, StepSpec, WorkflowSpec } from '../../src/spec/workflow.ts';
import { aConfigMap, aJobTemplate, anEnvironment, aProblem, hours, minutes, noon, passed } from './builders.ts';

export const nightly = (changes: Partial<ScheduleSpec> = {}): ScheduleSpec => ({ lines: ['0 2 * * *'], timeZone: 'UTC', concurrencyPolicy: 'Forbid', startingDeadline: undefined, ...changes });
export const hourly = (changes: Partial<ScheduleSpec> = {}): ScheduleSpec => nightly({ lines: ['0 * * * *'], ...changes });

type WorkflowSpecChanges = Partial<Omit<WorkflowSpec, 'trigger'>> & { readonly trigger?: Partial<WorkflowSpec['trigger']> };

/** A Workflow with every default of the schema, which nothing triggers yet. */
export function aWorkflowSpec(changes: WorkflowSpecChanges = {}): WorkflowSpec {
  const { trigger, ...rest } = changes;
  return {
    kind: 'Workflow',
    name: 'etl',
    hash: 'hash-1',
    suspend: false,
    observe: false,
    onSpecDelete: 'delete',
    onSpecChange: 'keep',
    retention: { succeeded: { count: 3, age: undefined }, failed: { count: 10, age: hours(168) } },
    jobMetadata: noMetadata,
    podMetadata: noMetadata,
    health: { includeLastRun: trigger?.onChange === true },
    parameters: {},
    trigger: { onChange: false, onRequest: false, schedule: undefined, ...trigger },
    concurrency: { max: 1 },
    steps: [aStep('load')],
    finally: [],
    maxParallel: undefined,
    onFailure: 'stop',
    outputs: {},
    files: [],
    ...rest,
  };
}

export function aStep(name: string, changes: Partial<StepSpec> = {}): StepSpec {
  return {
    name,
    id: name.replaceAll('-', '_'),
    phase: undefined,
    work: { kind: 'job', template: aJobTemplate() },
    dependsOn: { all: [], phase: undefined, expression: undefined },
    when: undefined,
    forEach: undefined,
    retry: { attempts: 1, within: undefined, delay: 0, factor: 1, maxDelay: 0, exitCodes: undefined, onOOM: undefined },
    startTimeout: minutes(15),
    timeout: undefined,
    allowFailure: false,
    undo: undefined,
    outputs: {},
    files: {},
    ...changes,
  };
}

export const onChange = (changes: WorkflowSpecChanges = {}): WorkflowSpec => aWorkflowSpec({ trigger: { onChange: true }, ...changes });
export const onRequest = (changes: WorkflowSpecChanges = {}): WorkflowSpec => aWorkflowSpec({ trigger: { onRequest: true }, ...changes });
export const onSchedule = (schedule: Partial<ScheduleSpec> = {}, changes: WorkflowSpecChanges = {}): WorkflowSpec => aWorkflowSpec({ trigger: { schedule: nightly(schedule) }, ...changes });

export function aWorkflowClaim(spec: WorkflowSpec = aWorkflowSpec(), source: Claim['source'] = etlMap(), problems: readonly Problem[] = []): Claim {
  return { source, parsed: { kind: 'Workflow', name: spec.name, hash: spec.hash, spec, problems } };
}

export function aBrokenWorkflow(source: Claim['source'] = etlMap()): Claim {
  return { source, parsed: { kind: 'Workflow', name: 'etl', hash: 'hash-broken', spec: undefined, problems: [aProblem()] } };
}

/** Created an hour ago. */
export function etlMap(changes: Parameters<typeof aConfigMap>[0] = {}): ReturnType<typeof aConfigMap> {
  return aConfigMap({ name: 'etl', ...changes });
}

type RecordChanges = Partial<Omit<ObservedRecord, 'request' | 'result' | 'commands'>> & {
  readonly request?: Partial<RunRequest> | undefined;
  readonly result?: Partial<RunResult> | undefined;
  readonly commands?: Partial<ObservedRecord['commands']>;
};

/** A run that somebody asked for and that is running. */
export function aRecord(changes: RecordChanges = {}): ObservedRecord {
  const { request, result, commands, ...rest } = changes;
  const name = changes.name ?? 'etl-1';
  const readable = !('request' in changes) || request !== undefined;
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '100',
    createdAt: noon - minutes(5),
    deleting: false,
    ownerUid: undefined,
    target: { kind: 'workflow', name: 'etl' },
    request: readable ? { workflow: 'etl', trigger: 'request', ...request } : undefined,
    phase: 'Running',
    result: result && aResult(result),
    commands: { cancel: undefined, suspend: false, approvals: new Map(), ...commands },
    ...rest,
  };
}

function aResult(changes: Partial<RunResult>): RunResult {
  return { outcome: 'succeeded', reason: 'RunSucceeded', message: '', startedAt: noon - minutes(4), finishedAt: noon - minutes(3), failedSteps: [], ...changes };
}

/** A run that ended at `at`. */
export function anEndedRun(phase: Extract<RunPhase, 'Succeeded' | 'Failed' | 'Cancelled'>, at: number, changes: RecordChanges = {}): ObservedRecord {
  const outcome = ({ Succeeded: 'succeeded', Failed: 'failed', Cancelled: 'cancelled' } as const)[phase];
  return aRecord({ createdAt: at - minutes(1), phase, ...changes, result: { outcome, reason: `Run${phase}`, finishedAt: at, ...changes.result } });
}

/** The change run of `hash`, which has succeeded. */
export const aChangeRun = (name: string, hash: string, changes: RecordChanges = {}): ObservedRecord =>
  aRecord({ name, phase: 'Succeeded', result: {}, ...changes, request: { trigger: 'change', specHash: hash, source: 'cm-1', ...changes.request } });

/** The run scheduled for `at`, which has succeeded. */
export const aScheduledRun = (at: number, changes: RecordChanges = {}): ObservedRecord =>
  aRecord({ name: `etl-at-${at}`, createdAt: at, phase: 'Succeeded', result: {}, ...changes, request: { trigger: 'schedule', scheduledAt: at } });

export const aQueuedRun = (name: string, changes: RecordChanges = {}): ObservedRecord => aRecord({ name, phase: 'Queued', ...changes });

/** Waits in the step of another run. */
export const aSubRun = (name: string, parent: Partial<NonNullable<RunRequest['parent']>> = {}, changes: RecordChanges = {}): ObservedRecord =>
  aQueuedRun(name, { ...changes, request: { trigger: 'step', parent: { run: 'parent-1', uid: 'uid-parent-1', step: 'sub', attempt: 1, depth: 1, ...parent } } });

/** A workflow with one good claim whose templates have passed; no runs. */
export function observedWorkflow(spec: WorkflowSpec = aWorkflowSpec(), changes: Partial<ObservedWorkflow> = {}): ObservedWorkflow {
  return {
    key: { kind: 'workflow', name: 'etl' },
    claims: [aWorkflowClaim(spec)],
    records: [],
    recordsUnknown: undefined,
    reservations: new Set(),
    verdict: passed(spec.hash),
    refusal: undefined,
    unread: false,
    since: noon - hours(1),
    ...changes,
  };
}

export function planFor(observed: ObservedWorkflow, now = noon): WorkflowPlan {
  return planWorkflow(observed, anEnvironment(), now);
}

/** Actions in short: kind, reason and what it is about; new runs by their trigger, since their names are hashes. */
export function shortActs({ actions }: WorkflowPlan): string[] {
  return actions.map((action) => [action.kind, action.reason, subject(action)].join(' '));
}

function subject(action: WorkflowAction): string {
  if (action.kind !== 'createRun') return action.record.name;
  const { trigger, scheduledAt, specHash } = action.request;
  return scheduledAt === undefined ? `${trigger} ${specHash ?? ''}` : `${trigger} ${new Date(scheduledAt).toISOString().slice(0, 16)}`;
}

/** State, reason and message of the winner. */
export function stands(observed: ObservedWorkflow, now = noon): string[] {
  const status = planFor(observed, now).statuses[0]?.status;
  return status ? [status.state, status.reason, status.message] : [];
}
