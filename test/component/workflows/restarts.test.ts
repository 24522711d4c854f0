/** Runs whose controller dies, is doubled, or has a bad network: no step runs twice, and none is lost. */
import { describe, expect, it } from 'vitest';
import type { KillPoint } from '../../../src/simulation/process.ts';
import { randomFaults } from '../../../src/simulation/fault-plans.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { chain, step, useWorkflows, type WorkflowScene, type WorkflowSceneOptions } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

/** A bit of everything: a join, items with $(item), an Indexed Job, outputs, a retry, a step that fails and is allowed to, finally. */
const etl: JsonObject = {
  steps: [
    step('list', { outputs: { files: { type: 'array' } } }),
    step('load', { forEach: { from: '$(steps.list.outputs.files)' }, job: { image: 'registry.example/load:1', args: ['$(item)'] } }),
    step('index', { dependsOn: ['list'], forEach: { items: ['x', 'y'] } }),
    step('flaky', { dependsOn: ['load', 'index'], retry: { attempts: 2, delay: '2s' } }),
    step('lint', { allowFailure: true }),
    step('publish', { dependsOn: 'flaky.ok && lint.completed' }),
  ],
  finally: [step('clean')],
};
const pods: NonNullable<WorkflowSceneOptions['pods']> = {
  list: { exit: { code: 0, message: '{"files": ["one", "two"]}' } },
  flaky: (attempt) => ({ exit: { code: attempt === 1 ? 1 : 0 } }),
  lint: { exit: { code: 2 } },
};

/** What a run came to, without names and times. */
function ending(scene: WorkflowScene): unknown {
  return scene.runs.map((run) => ({
    phase: run.phase,
    result: run.result?.outcome,
    failed: run.result?.failedSteps,
    steps: Object.fromEntries(Object.entries(run.state?.steps ?? {}).toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([name, state]) => [name, [state.outcome, state.attempts?.map(({ outcome }) => outcome), state.items?.map(({ outcome }) => outcome)]])),
  }));
}

/** Jobs by what they are for: each may have been created once. */
const works = (scene: WorkflowScene): string[] => scene.births.map(({ step: name, attempt, object }) => `${name}#${attempt} ${object.metadata.labels?.['job-chief/index'] ?? ''}`).toSorted();

async function live(killPoint?: KillPoint): Promise<WorkflowScene> {
  const scene = stage({ seed: 3, spec: etl, pods });
  const first = scene.controller;
  if (killPoint && first) {
    first.killAt(killPoint);
    first.onDeath(() => { scene.world.clock.timer(1500, () => { scene.start(); }); });
  }
  await scene.finished(120_000);
  await scene.world.run(2000);
  if (killPoint) expect(first?.alive).toBe(false);
  return scene;
}

describe('kill -9', () => {
  it('at every request of a run leads to the same end, with no Job more or less', async () => {
    const calm = await live();
    const expected = JSON.stringify([ending(calm), works(calm)]);
    expect(calm.run.phase).toBe('Succeeded');
    const requests = calm.controller?.requests ?? 0;
    expect(requests).toBeGreaterThan(25);
    const different: string[] = [];
    for (let request = 1; request <= requests; request += 1) {
      for (const when of ['before', 'after'] as const) {
        const scene = await live({ request, when });
        const came = JSON.stringify([ending(scene), works(scene)]);
        if (came !== expected) different.push(`killed ${when} request ${request}: ${came} instead of ${expected} ${scene.explain()}`);
      }
    }
    expect(different).toEqual([]);
  });
});

describe('a restart in mid-run', () => {
  it.each([300, 1500, 3000, 6000])('after %i ms goes on where the run was', async (after) => {
    const scene = stage({ spec: etl, pods });
    await scene.world.run(after);
    await scene.restart(700);
    await scene.finished();
    expect(JSON.stringify([ending(scene), works(scene)])).toBe(JSON.stringify(await live().then((calm) => [ending(calm), works(calm)])));
  });

  it('in order writes down what was decided last, and waits for nothing else', async () => {
    let stop: (() => Promise<void>) | undefined;
    const scene = stage({ controller: { made: (engine) => { stop = () => engine.stop(); } }, steps: chain('a', 'b', 'c'), pods: { c: { runs: 60_000 } } });
    await scene.world.runUntil(() => scene.births.length === 3);
    // The third Job was created a moment ago: its record is not written yet.
    const stopped = stop?.().then(() => 'stopped');
    await scene.world.run(200);
    expect(await Promise.race([stopped, Promise.resolve('still stopping')])).toBe('stopped');
    expect(scene.run.state?.steps['c']?.attempts).toHaveLength(1);
  });
});

describe('two controllers at once, without the Lease', () => {
  it.each([1, 2, 3, 4, 5, 6])('run each step once between them (seed %i)', async (seed) => {
    const scene = stage({ seed, spec: etl, pods });
    scene.start();
    await scene.finished();
    await scene.world.run(10_000);
    expect(JSON.stringify([ending(scene), works(scene)])).toBe(JSON.stringify(await live().then((calm) => [ending(calm), works(calm)])));
  });
});

describe('a bad network', () => {
  it.each(Array.from({ length: 12 }, (_, index) => index + 1))('refused requests, lost answers, late and broken watches: the run comes to the same end (seed %i)', async (seed) => {
    const scene = stage({ seed, controller: 'none', spec: etl, pods });
    const until = scene.world.clock.now() + 120_000;
    scene.startWith(randomFaults({ random: scene.world.random.split('faults'), clock: scene.world.clock, rates: { refused: 0.15, answerLost: 0.1, slow: 0.1, watch: 0.3 }, until }));
    await scene.finished(1_200_000);
    expect(ending(scene)).toEqual(ending(await live()));
    expect(works(scene)).toEqual(works(await live()));
  });
});
