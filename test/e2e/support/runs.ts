/** Runs of workflows as people see them: the ConfigMaps that are their records, and the Jobs of their steps. */
import { expect } from 'vitest';
import { stringify } from 'yaml';
import type { RunRequest, RunResult } from '../../../src/plan/run/record.ts';
import type { RunState, StepState } from '../../../src/plan/run/state.ts';
import { eventually } from './eventually.ts';
import { hasStarted, type ConfigMap, type Job, type Pod } from './kubernetes.ts';
import type { Site } from './site.ts';

export interface Run {
  readonly name: string;
  readonly phase: string;
  readonly request: RunRequest;
  readonly result: RunResult | undefined;
  /** Empty where nothing was decided yet. */
  readonly steps: RunState['steps'];
  readonly undo: RunState['undo'];
  readonly record: ConfigMap;
}

/** All there is of a workflow, oldest first. */
export async function runsOf(site: Site, workflow: string): Promise<Run[]> {
  const { items } = await site.kubernetes.list('configmaps', site.namespace, `job-chief-record=run,job-chief/name=${workflow}`);
  return items.map(runOf).sort((left, right) => left.record.metadata.creationTimestamp.localeCompare(right.record.metadata.creationTimestamp));
}

function runOf(record: ConfigMap): Run {
  const { name, labels, annotations } = record.metadata;
  const result = annotations?.['job-chief/result'];
  const state = JSON.parse(record.data?.['state.json'] ?? '{}') as Partial<RunState>;
  return {
    name,
    phase: labels?.['job-chief/state'] ?? '',
    request: JSON.parse(annotations?.['job-chief/request'] ?? '{}') as RunRequest,
    result: result === undefined ? undefined : (JSON.parse(result) as RunResult),
    steps: state.steps ?? {},
    undo: state.undo ?? {},
    record,
  };
}

/** Waits until the newest run of a workflow is in this phase. */
export async function runBecomes(site: Site, workflow: string, phase: string): Promise<Run> {
  return await eventually(async () => {
    const run = (await runsOf(site, workflow)).at(-1);
    expect(run?.phase, `phase of ${workflow}'s newest run`).toBe(phase);
    return run as Run;
  });
}

/** Waits until the newest run of a workflow has a step of which all of `expected` stands. */
export async function stepBecomes(site: Site, workflow: string, step: string, expected: object): Promise<Run> {
  return await eventually(async () => {
    const run = (await runsOf(site, workflow)).at(-1);
    expect(run?.steps[step], `step ${step} of ${workflow}'s newest run`).toMatchObject(expected);
    return run as Run;
  });
}

/** Waits until a container of a step of the newest run runs, or has run: nobody may have looked while it did; its Job. */
export async function stepRuns(site: Site, workflow: string, step: string): Promise<string> {
  return await eventually(async () => {
    const pods = (await podsOf(site, workflow)).filter(({ metadata }) => metadata.labels?.['job-chief/step'] === step);
    const [pod] = pods.filter(({ status }) => status.containerStatuses?.some(hasStarted) === true);
    expect(pod, `a running container of step ${step} of ${workflow}`).toBeDefined();
    return pod?.metadata.labels?.['job-name'] ?? '';
  });
}

/** Steps with their outcomes. */
export function outcomes({ steps }: Run): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(steps).map(([name, { outcome }]) => [name, outcome]));
}

/** Names of all Jobs that a step had. */
export function jobNames({ steps }: Run, step: string): string[] {
  const state: StepState = steps[step] ?? {};
  return [...(state.attempts ?? []), ...(state.items ?? []).flatMap(({ attempts }) => attempts)].map(({ job }) => job);
}

/** All Jobs of a run, as they were made. */
export async function jobsOf(site: Site, run: string): Promise<Job[]> {
  const { items } = await site.kubernetes.list('jobs', site.namespace, `job-chief/run=${run}`);
  return items.sort((left, right) => (site.witness.madeAt(left.metadata.name) ?? 0) - (site.witness.madeAt(right.metadata.name) ?? 0));
}

export async function podsOf(site: Site, workflow: string): Promise<Pod[]> {
  return (await site.kubernetes.list('pods', site.namespace, `job-chief/name=${workflow},job-chief/kind=workflow`)).items;
}

/** What the containers of a Job printed, pod by pod. */
export async function logOf(site: Site, job: string | undefined): Promise<string> {
  return await site.kubectl('logs', '-l', `job-name=${job ?? ''}`, '--tail=-1');
}

/** A Workflow as a labelled ConfigMap, run as soon as it is there; with files beside it. */
export function workflowConfigMap(name: string, spec: object, files: Readonly<Record<string, string>> = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { 'job-chief': 'workflow' } },
    data: { 'spec.yaml': stringify({ apiVersion: 'job-chief/v1', kind: 'Workflow', name, trigger: { onChange: true }, ...spec }), ...files },
  };
}
