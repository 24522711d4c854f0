/** Steps, their Jobs and the pods of those for tests: say what matters, the rest is plain and healthy. */
import type { JsonObject } from '../../src/lib/json.ts';
import type { ObservedJob, ObservedPod, StepJobFacts, StepPodFacts } from '../../src/plan/observed.ts';
import type { StepJobInput } from '../../src/plan/run/step-job.ts';
import { noMetadata } from '../../src/spec/common.ts';
import type { RetrySpec, StepSpec, WorkflowSpec } from '../../src/spec/workflow.ts';
import { aFailedPod, aJob, aJobTemplate, anEnvironment, aRunningPod, hours, minutes, noon, seconds } from './builders.ts';

/** One attempt. */
export const noRetry: RetrySpec = { attempts: 1, within: undefined, delay: seconds(10), factor: 2, maxDelay: minutes(5), exitCodes: undefined, onOOM: undefined };

/** A step that is a Job. */
export function aJobStep(changes: Partial<StepSpec> = {}): StepSpec {
  const name = changes.name ?? 'load';
  return {
    name,
    id: name.replaceAll('-', '_'),
    phase: undefined,
    work: { kind: 'job', template: aJobTemplate() },
    dependsOn: { all: [], phase: undefined, expression: undefined },
    when: undefined,
    forEach: undefined,
    retry: noRetry,
    startTimeout: minutes(15),
    timeout: undefined,
    allowFailure: false,
    undo: undefined,
    outputs: {},
    files: {},
    ...changes,
  };
}

/** The workflow `nightly`, with that one step. */
export function aWorkflowOf(step: StepSpec, changes: Partial<WorkflowSpec> = {}): WorkflowSpec {
  return {
    kind: 'Workflow',
    name: 'nightly',
    hash: 'hash-1',
    suspend: false,
    observe: false,
    onSpecDelete: 'delete',
    onSpecChange: 'keep',
    retention: { succeeded: { count: 3, age: undefined }, failed: { count: 10, age: hours(168) } },
    jobMetadata: noMetadata,
    podMetadata: noMetadata,
    health: { includeLastRun: false },
    parameters: {},
    trigger: { onChange: false, onRequest: true, schedule: undefined },
    concurrency: { max: 1 },
    steps: [step],
    finally: [],
    maxParallel: undefined,
    onFailure: 'stop',
    outputs: {},
    files: [],
    ...changes,
  };
}

/** The first attempt of `step` in the run `nightly-abc`. */
export function aStepJobInput(changes: Partial<StepJobInput> = {}): StepJobInput {
  const step = changes.step ?? aJobStep();
  return {
    record: { name: 'nightly-abc', uid: 'record-uid', target: { kind: 'workflow', name: 'nightly' } },
    spec: aWorkflowOf(step),
    step,
    role: 'do',
    template: step.work.kind === 'job' ? step.work.template : aJobTemplate(),
    index: undefined,
    attempt: 1,
    each: undefined,
    memory: undefined,
    timeout: undefined,
    environment: anEnvironment(),
    ...changes,
  };
}

type JobChanges = Partial<Omit<ObservedJob, 'step'>> & { readonly step?: Partial<StepJobFacts> };

/** A Job with one completion that the Job controller took up five seconds ago. */
export function aStepJob(changes: JobChanges = {}): ObservedJob {
  const { step, ...rest } = changes;
  const facts: StepJobFacts = { indexed: false, completions: 1, parallelism: 1, restartPolicy: 'Never', awaitsVerdict: false, completedIndexes: '', failedIndexes: '', ...step };
  return aJob({ name: 'nightly-load-1', specHash: 'hash-1', ...rest, step: facts });
}

/** A Job with a pod for each of `count` items. */
export function anIndexedJob(count: number, changes: JobChanges = {}): ObservedJob {
  return aStepJob({ ...changes, step: { indexed: true, completions: count, parallelism: count, ...changes.step } });
}

type PodChanges = Partial<Omit<ObservedPod, 'step'>> & { readonly step?: Partial<StepPodFacts> };

/** A pod whose containers run. */
export function aStepPod(changes: PodChanges = {}): ObservedPod {
  const { step, ...rest } = changes;
  return aRunningPod({ ...rest, step: podFacts(step) });
}

function podFacts(changes: Partial<StepPodFacts> = {}): StepPodFacts {
  return { index: undefined, done: undefined, doneAt: changes.done === undefined ? undefined : noon - seconds(2), messages: [], containers: 1, ...changes };
}

/** A pod whose containers have all ended with 0; its phase has not followed yet. `wrote` is the termination message of "main". */
export function aDonePod(changes: PodChanges & { readonly wrote?: string } = {}): ObservedPod {
  const { wrote, step, ...rest } = changes;
  const messages = wrote === undefined ? [] : [{ container: 'main', text: wrote }];
  return aStepPod({ ...rest, step: { done: 'succeeded', messages, ...step } });
}

/** A pod whose container "main" exited with `exitCode`. */
export function aFailedStepPod(exitCode: number, changes: PodChanges & { readonly why?: string; readonly said?: string } = {}): ObservedPod {
  const { step, ...rest } = changes;
  return { ...aFailedPod(exitCode, rest), step: podFacts({ done: 'failed', ...step }) };
}

/** A JobTemplateSpec whose container has these amounts of memory. */
export function aTemplateWithMemory(resources: { readonly limits?: string; readonly requests?: string }): JsonObject {
  const amounts = Object.entries(resources).map(([kind, memory]): [string, JsonObject] => [kind, { cpu: '1', memory }]);
  return aJobTemplate({ resources: Object.fromEntries(amounts) });
}
