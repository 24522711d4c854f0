/** How long planning takes, without any cluster: every round of whole runs, whose Jobs are played. */
import { encodeState } from '../../../src/adapters/kubernetes/record-codec.ts';
import { planRun } from '../../../src/plan/run/plan-run.ts';
import { aStepSpec, aWorkflow, RunWorld } from '../../../test/support/run-builders.ts';
import { anEnvironment, aRunningPod, complete } from '../../../test/support/builders.ts';
import type { StepSpec } from '../../../src/spec/workflow.ts';

export interface PlanResult {
  readonly shape: 'chain' | 'wide' | 'layered';
  readonly steps: number;
  /** Milliseconds, one for each round. */
  readonly rounds: readonly number[];
  /** The mean in milliseconds of CPU time, which a neighbour's load hardly stretches. Its ticks are too coarse for one round. */
  readonly cpu: number;
  /** The run came to its end: only then its record has its full size. */
  readonly whole: boolean;
  /** Bytes of the state at the end: as JSON, and as the record holds it. */
  readonly record: { readonly json: number; readonly stored: number };
}

/** Names of steps that each one waits for. Wide: one that all others wait for, and one that waits for them all. */
const shapes: Readonly<Record<PlanResult['shape'], (index: number, count: number) => number[]>> = {
  chain: (index) => (index === 0 ? [] : [index - 1]),
  wide: (index, count) => (index === 0 ? [] : index === count - 1 ? Array.from({ length: count - 2 }, (_, i) => i + 1) : [0]),
  layered: (index) => (index < 50 ? [] : [0, 1, 2].map((shift) => Math.floor(index / 50 - 1) * 50 + ((index + shift * 7) % 50))),
};

export function measurePlan(say: (line: string) => void): PlanResult[] {
  const results: PlanResult[] = [];
  for (const steps of [1000, 2000, 10_000]) {
    for (const shape of ['chain', 'wide', 'layered'] as const) {
      // The first thousand rounds are the compiler's.
      if (steps === 1000) playRun(shape, 300);
      const result = playRun(shape, steps);
      say(`  plan, ${shape} of ${steps}: ${result.rounds.length} rounds`);
      results.push(result);
    }
  }
  return results;
}

/** A chain of many steps takes as many rounds, of which a sample says the same. */
const mostRounds = (count: number): number => (count > 1000 ? 200 : 1200);
/** Jobs that end between two rounds. */
const burstOf = (count: number): number => Math.max(20, count / 50);

function playRun(shape: PlanResult['shape'], count: number): PlanResult {
  const name = (index: number): string => `step-${String(index).padStart(5, '0')}`;
  const step = (index: number): StepSpec => aStepSpec(name(index), { dependsOn: { all: shapes[shape](index, count).map(name), phase: undefined, expression: undefined } });
  const world = new RunWorld({ ...aWorkflow(''), steps: Array.from({ length: count }, (_, i) => step(i)) });
  const rounds: number[] = [];
  const [most, burst] = [mostRounds(count), burstOf(count)];
  let [ended, cpu] = [0, 0];
  while (world.state.end === undefined && rounds.length < most) {
    const observed = world.observed();
    const [before, began] = [process.threadCpuUsage(), performance.now()];
    planRun(observed, anEnvironment(), world.now);
    rounds.push(performance.now() - began);
    const { user, system } = process.threadCpuUsage(before);
    cpu += (user + system) / 1000;
    world.round();
    world.now += 10;
    for (const { name: job } of world.things.slice(ended, ended + burst)) succeed(world, job);
    ended = Math.min(ended + burst, world.things.length);
  }
  const { data, binaryData } = encodeState(world.state);
  return { shape, steps: count, rounds, cpu: cpu / rounds.length, whole: world.state.end !== undefined, record: { json: JSON.stringify(world.state).length, stored: JSON.stringify({ data, binaryData }).length } };
}

function succeed({ jobs, now }: RunWorld, name: string): void {
  const job = jobs.get(name);
  if (!job) return;
  const step = { index: undefined, done: 'succeeded', doneAt: now, messages: [], containers: 1 } as const;
  jobs.set(name, { ...job, succeededPods: 1, finished: complete(now), pods: [aRunningPod({ phase: 'Succeeded', startedAt: now, step })] });
}
