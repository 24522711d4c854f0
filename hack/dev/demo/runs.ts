/** The demo's live view of workflows: one line whenever a step starts, is tried again, or has its outcome. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { RunState, StepState } from '../../../src/plan/run/state.ts';
import { nameAnnotation, recordLabel, stateKey, stateLabel } from '../../../src/spec/keys.ts';
import { repository } from '../cluster/paths.ts';
import { namespace } from './installation.ts';
import type { Kubectl } from './kubectl.ts';
import { command, say } from './say.ts';

interface RunRecord {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
}

export interface RunsOptions {
  readonly kubectl: Kubectl;
  /** Names of the workflows, each of which runs once. */
  readonly workflows: readonly string[];
  /** Throws when it must not go on. */
  readonly check: () => void;
}

const over: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Cancelled']);

interface SeenRun {
  readonly workflow: string;
  readonly name: string;
  readonly phase: string;
  readonly state: Partial<RunState>;
}

/** Until each workflow has had its run; the names of the runs by workflow. Rejects after `limit` milliseconds. */
export async function watchRuns({ kubectl, workflows, check }: RunsOptions, limit: number): Promise<ReadonlyMap<string, string>> {
  const began = performance.now();
  const shown = new Map<string, string>();
  for (;;) {
    check();
    const runs = runsNow(kubectl);
    for (const run of runs) showChanges(run, shown);
    if (workflows.every((name) => runs.some(({ workflow, phase }) => workflow === name && over.has(phase)))) return new Map(runs.map(({ workflow, name }) => [workflow, name]));
    if (performance.now() - began > limit) throw new Error(`after ${limit / 1000} s not all runs are over: ${JSON.stringify(runs)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function runsNow(kubectl: Kubectl): readonly SeenRun[] {
  const { items } = JSON.parse(kubectl.run('get', 'configmap', '-n', namespace, '-l', `${recordLabel}=run`, '-o', 'json')) as { items: RunRecord[] };
  return items.map(({ metadata: { name, labels, annotations }, data }) => ({
    workflow: annotations?.[nameAnnotation] ?? name,
    name,
    phase: labels?.[stateLabel] ?? '',
    state: JSON.parse(data?.[stateKey] ?? '{}') as Partial<RunState>,
  }));
}

function showChanges({ workflow, phase, state }: SeenRun, shown: Map<string, string>): void {
  for (const [step, text] of [...linesOf(state.steps, ''), ...linesOf(state.undo, 'undo of '), ['', phase] as const]) {
    const key = `${workflow} ${step}`;
    if (shown.get(key) !== text) say(step === '' ? `run    ${workflow.padEnd(10)} ${text}` : `step   ${workflow.padEnd(10)} ${step.padEnd(16)} ${text}`);
    shown.set(key, text);
  }
}

function linesOf(steps: RunState['steps'] | undefined, role: string): (readonly [string, string])[] {
  return Object.entries(steps ?? {}).map(([name, state]) => [`${role}${name}`, textOf(state)]);
}

function textOf({ outcome, outputs, attempts = [], items = [] }: StepState): string {
  if (outcome !== undefined) return outputs === undefined ? outcome : `${outcome} ${JSON.stringify(outputs)}`;
  const tries = attempts.length > 1 ? `, attempt ${attempts.length}` : '';
  return `started${tries}${items.length > 0 ? `, ${items.filter((item) => item.attempts.length > 0).length} of ${items.length} Jobs` : ''}`;
}

/** As one would ask from a checkout. */
export function showStatus(kubectl: Kubectl, ...args: readonly string[]): void {
  command(`job-chief status ${args.join(' ')} -n ${namespace}`);
  const ran = spawnSync(process.execPath, [join(repository, 'src/cli/main.ts'), 'status', ...args, '-n', namespace, '--kubeconfig', kubectl.kubeconfig], { encoding: 'utf8' });
  console.log(`${ran.stdout}${ran.stderr}`.trim());
}
