/** Whatever happens, everything that is there can be explained at any moment: bounded, and without changing anything. */
import { describe, expect, it } from 'vitest';
import { explainWhy } from '../../../src/cli/why.ts';
import { showPlan } from '../../../src/cli/plan.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { PodScript } from '../../../src/simulation/pod-script.ts';
import { configMaps } from '../../../src/simulation/objects.ts';
import { Random } from '../../../src/simulation/random.ts';
import * as keys from '../../../src/spec/keys.ts';
import { CommandLine } from '../../support/command-line.ts';
import { step, WorkflowScene } from '../../support/workflow-scene.ts';

interface Told {
  readonly subject: string;
  readonly state: string;
  readonly reason?: string;
  readonly message?: string;
  readonly because?: readonly Told[];
}

const flaky = { retry: { attempts: 3, delay: '20s' } };
const main: JsonObject = {
  trigger: { schedules: ['*/2 * * * *'], concurrencyPolicy: 'Allow' },
  concurrency: { max: 2 },
  maxParallel: 3,
  onFailure: 'revert',
  steps: [
    step('list', { ...flaky, undo: { job: { image: 'undo:1' } } }),
    step('each', { dependsOn: ['list'], forEach: { items: ['a', 'b', 'c', 'd'] }, maxParallel: 2, ...flaky }),
    step('may-i', { dependsOn: ['list'], approve: { message: 'go on?' }, timeout: '1m' }),
    step('sub', { dependsOn: ['list'], workflow: { name: 'other' } }),
    step('last', { dependsOn: 'each.completed && (may_i.ok || sub.failed)', allowFailure: true }),
  ],
  finally: [step('tidy')],
};
const other: JsonObject = { trigger: { onRequest: true }, concurrency: { max: 1 }, steps: [step('inner', flaky), step('outer', { dependsOn: ['inner'] })] };
const queue = 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {waitAfter: {failed: 5s}}\nbreaker: {failed: 3, probeEvery: 1m}\nstartTimeout: 30s\ntimeout: 40s\njob: {image: worker:1}\n';

function scriptOf(random: Random): PodScript {
  const draw = random.next();
  const base = { startsAfter: random.between(5, 4_000), runs: random.between(50, 20_000) };
  if (draw < 0.25) return { ...base, exit: { code: 1 + Math.floor(draw * 100), message: 'x'.repeat(Math.floor(draw * 4_000)) } };
  if (draw < 0.4) return { ...base, unschedulable: { for: random.between(1_000, 90_000), message: '0/3 nodes are available.' } };
  if (draw < 0.5) return { ...base, image: { for: random.between(1_000, 60_000), message: 'no such image' } };
  if (draw < 0.6) return { ...base, evictedAfter: 3_000 };
  return draw < 0.65 ? { ...base, runs: Infinity } : base;
}

function sizeOf({ because = [] }: Told): number {
  return because.reduce((sum, child) => sum + sizeOf(child), 1);
}

/** The workflow as it is, and nothing else: what is there is removed. */
async function planned(scene: WorkflowScene, line: CommandLine): Promise<void> {
  const etl = JSON.stringify(scene.world.cluster.store.list(configMaps).find(({ metadata }) => metadata.name === 'etl'));
  const options = { output: 'text', all: true, dryRun: 'server', failOnChanges: false, depth: undefined } as const;
  const input = { environment: {}, sources: [{ name: '-', text: etl, explicit: true }], unreadable: [] };
  expect(await line.call((session) => showPlan(session, options, input))).toBe(0);
  expect(line.printed()).toEqual(expect.arrayContaining([expect.stringMatching(/^queue\/mails {2}removed/), expect.stringMatching(/^workflow\/other {2}removed/), 'unchanged: workflow/etl']));
}

describe.each([1, 2, 3])('ten stormy minutes, seed %i', (seed) => {
  it('is explained at every moment', async () => {
    const scene = new WorkflowScene({ spec: 'none', seed });
    const random = new Random(seed);
    scene.world.cluster.script = () => scriptOf(random);
    scene.world.queue('q').send(50);
    scene.world.applyConfigMap('mails', queue);
    scene.world.applyConfigMap('broken', queue.replace('image', 'imag'));
    scene.apply(other, 'other');
    scene.apply(main);
    const line = new CommandLine(scene.world);
    const reasons = new Set<string>();
    const ask = async (name: string): Promise<void> => {
      await line.call((session) => explainWhy(session, { name, step: undefined, output: 'json' }));
      for (const told of (JSON.parse(line.printed().join('\n')) as { reasons: Told[] }).reasons) {
        expect(sizeOf(told)).toBeLessThan(150);
        expect(told.reason).toMatch(/^[A-Z][A-Za-z]+$/);
        reasons.add(told.reason ?? '');
      }
    };
    for (let round = 0; round < 24; round += 1) {
      await scene.world.run(25_000);
      if (round === 8) await scene.restart(random.between(1_000, 40_000));
      if (round === 16) scene.world.cluster.quota.set('count/jobs.batch', 3);
      const names = ['mails', 'broken', 'workflow/etl', 'other', ...scene.runs.filter(({ isOver }, index, all) => !isOver || index === all.length - 1).slice(-4).map(({ name }) => name)];
      for (const name of names) await ask(name);
      const [run] = scene.runs.filter(({ isOver }) => !isOver);
      if (run && random.next() < 0.3) scene.annotate(run.name, { [keys.approvalsAnnotation]: 'may-i' });
      if (run && random.next() < 0.05) scene.annotate(run.name, { [keys.cancelAnnotation]: 'enough' });
      if (round % 10 === 0) await planned(scene, line);
    }
    expect(reasons.size).toBeGreaterThan(8);
    expect(scene.violations).toEqual([]);
  }, 120_000);
});
