/** Jobs of steps acted out, and read as the caches read them: when the fate of an attempt is known, and what it is. */
import { describe, expect, it } from 'vitest';
import { newShared, projectJob } from '../../../src/adapters/kubernetes/project-job.ts';
import { projectPod } from '../../../src/adapters/kubernetes/project-pod.ts';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { fateOf, takesSlot, type EndedFate, type FateRules } from '../../../src/plan/run/fate.ts';
import { stepJob } from '../../../src/plan/run/step-job.ts';
import type { StepJobInput } from '../../../src/plan/run/step-job.ts';
import type { ObservedJob } from '../../../src/plan/observed.ts';
import { indexOf } from '../../../src/simulation/job-tally.ts';
import { configMaps, jobs } from '../../../src/simulation/objects.ts';
import type { Scriptwriter } from '../../../src/simulation/pod-script.ts';
import { aJobTemplate } from '../../support/builders.ts';
import { simulate, type Simulation } from '../../support/simulation.ts';
import { aJobStep, aStepJobInput, noRetry } from '../../support/steps.ts';

interface Stage {
  readonly world: Simulation;
  readonly observed: () => ObservedJob;
}

/** The step's Job in a cluster whose pods follow `script`. */
function stage(script: Scriptwriter, changes: Partial<StepJobInput> = {}): Stage {
  const world = simulate({ script });
  const { manifest, map } = stepJob(aStepJobInput(changes));
  const record = world.cluster.registry.create(configMaps, { metadata: { name: 'nightly-abc' } });
  const owned = (object: JsonObject): JsonObject => ({ ...object, metadata: { ...(object['metadata'] as JsonObject), namespace: world.cluster.namespace, ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'nightly-abc', uid: record.metadata.uid, controller: true }] } });
  if (map) world.cluster.registry.create(configMaps, owned(map));
  world.cluster.registry.create(jobs, owned(manifest));
  const shared = newShared();
  const raw = (object: unknown): JsonObject => JSON.parse(JSON.stringify(object)) as JsonObject;
  const observed = (): ObservedJob => {
    const job = projectJob(raw(world.jobs()[0]), shared);
    if (!job) throw new Error('the Job is not ours');
    const pods = world.pods().map((pod) => projectPod(raw(pod), undefined, { now: world.clock.now(), shared })).filter((pod) => pod !== undefined);
    return { ...job, pods };
  };
  return { world, observed };
}

/** Runs until the fate is known. */
async function ended({ world, observed }: Stage, rules: Partial<FateRules> = {}): Promise<{ readonly fate: EndedFate; readonly job: ObservedJob }> {
  const read = () => fateOf(observed(), { outputs: {}, count: undefined, now: world.clock.now(), ...rules });
  expect(await world.runUntil(() => read().kind === 'ended', 600_000)).toBe(true);
  const fate = read();
  if (fate.kind === 'open') throw new Error('it was ended just now');
  return { fate, job: observed() };
}

const rows = { rows: { type: 'integer', default: undefined } } as const;

describe('a step in the simulated cluster', () => {
  it('has succeeded, with its outputs and without its slot, before its pod and its Job say so', async () => {
    const { fate, job } = await ended(stage(() => ({ runs: 2000, exit: { code: 0, message: 'rows=12' } })), { outputs: rows });
    expect(fate).toMatchObject({ outcome: 'succeeded', outputs: { rows: 12 } });
    expect([job.finished, job.pods[0]?.phase, takesSlot(job)]).toEqual([undefined, 'Running', false]);
  });

  it('has succeeded when its work has, however long its sidecar takes to end', async () => {
    const template = aJobTemplate({}, { initContainers: [{ name: 'setup', image: 'work' }, { name: 'proxy', image: 'work', restartPolicy: 'Always' }] });
    const place = stage(() => ({ runs: 1000, phaseAfter: 10_000, exit: { code: 0, message: 'rows=1' } }), { template });
    const { fate, job } = await ended(place, { outputs: rows });
    expect([fate.outcome, job.pods[0]?.step?.containers, place.world.pods()[0]?.status.initContainerStatuses?.map(({ state }) => Object.keys(state))]).toEqual(['succeeded', 3, [['terminated'], ['running']]]);
    await place.world.run(20_000);
    expect(place.observed()).toMatchObject({ finished: { condition: 'Complete' }, pods: [{ failures: [] }] });
  });

  it('has not succeeded before a plain sidecar has', async () => {
    const template = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }, { name: 'side', image: 'work' }] } } } };
    const place = stage(() => ({ runs: 1000, containers: { side: { runs: 5000, exit: { code: 0, message: 'rows=2' } } } }), { template });
    await place.world.run(3000);
    expect(fateOf(place.observed(), { outputs: rows, count: undefined, now: place.world.clock.now() }).kind).toBe('open');
    expect((await ended(place, { outputs: rows })).fate).toMatchObject({ outcome: 'succeeded', outputs: { rows: 2 } });
  });

  it('has failed only when the Job controller says so', async () => {
    const { fate, job } = await ended(stage(() => ({ exit: { code: 3, message: 'disk full' } })));
    expect(fate).toMatchObject({ outcome: 'failed', exitCode: 3, message: 'container "main" exited with 3: disk full' });
    expect(job.finished?.condition).toBe('Failed');
  });

  it('that is evicted goes on with another pod, and succeeds with that', async () => {
    let pods = 0;
    const template = { spec: { ...(aJobTemplate()['spec'] as JsonObject), podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] } } };
    const { fate, job } = await ended(stage(() => ((pods += 1) === 1 ? { evictedAfter: 1000 } : { exit: { code: 0 } }), { template }));
    expect([fate.outcome, job.pods.length, job.step?.awaitsVerdict]).toEqual(['succeeded', 2, false]);
  });

  it('that is evicted without such a rule is errored', async () => {
    expect((await ended(stage(() => ({ evictedAfter: 1000 })))).fate).toMatchObject({ outcome: 'errored', reason: 'Evicted' });
  });

  it('that restarts in place succeeds with its last start', async () => {
    const template = { spec: { backoffLimit: 3, template: { spec: { restartPolicy: 'OnFailure', containers: [{ name: 'main', image: 'work' }] } } } };
    const { fate, job } = await ended(stage(() => ({ runs: 500, exits: [{ code: 1 }, { code: 0, message: 'rows=7' }] }), { template }), { outputs: rows });
    expect([fate, job.finished]).toMatchObject([{ outcome: 'succeeded', outputs: { rows: 7 } }, undefined]);
  });

  it('that asks the Job controller by a successPolicy waits for it', async () => {
    const template = { spec: { completionMode: 'Indexed', completions: 2, parallelism: 2, successPolicy: { rules: [{ succeededCount: 1 }] }, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] } } } };
    const { fate, job } = await ended(stage((pod) => (indexOf(pod) === 0 ? { exit: { code: 0, message: 'rows=3' } } : { runs: Infinity }), { template }), { outputs: rows });
    expect([fate, job.finished]).toMatchObject([{ outcome: 'succeeded', outputs: { rows: 3 } }, { condition: 'Complete', reason: 'SuccessPolicy' }]);
  });

  it('whose outputs Kubernetes cut has failed', async () => {
    const template = aJobTemplate({}, { initContainers: ['a', 'b', 'c'].map((name) => ({ name, image: 'work' })) });
    const cut = await ended(stage(() => ({ exit: { code: 0, message: `rows=1\n${'x'.repeat(4000)}=` } }), { template }), { outputs: rows });
    expect(cut.fate).toMatchObject({ outcome: 'failed', reason: 'OutputTooLong', message: expect.stringContaining('no more than 3072') as Json });
  });
});

describe('items in the simulated cluster', () => {
  const items = { step: aJobStep({ forEach: { source: { kind: 'items', items: [] }, maxParallel: undefined, shape: 'indexed' }, retry: { ...noRetry, attempts: 2 } }), each: { count: 3, values: ['a', 'b', 'c'] } } as const;
  const rules = { outputs: { rows: { type: 'integer', default: undefined } }, count: 3 } as const;
  const writes = (index: number | undefined) => ({ exit: { code: 0, message: `rows=${(index ?? 0) * 10}` } });

  it('find their own file, and give their outputs in order', async () => {
    const place = stage((pod) => writes(indexOf(pod)), items);
    const { fate, job } = await ended(place, rules);
    expect([fate, job.finished]).toMatchObject([{ outcome: 'succeeded', outputs: { rows: [0, 10, 20] } }, undefined]);
    expect(place.world.cluster.registry.store.get(configMaps, `${job.name}-items`)).toMatchObject({ immutable: true, data: { 0: 'a', 1: 'b', 2: 'c' } });
  });

  it('are tried again one by one, and the failure of one does not end the others', async () => {
    const tries = new Map<number | undefined, number>();
    const place = stage((pod) => {
      const index = indexOf(pod);
      tries.set(index, (tries.get(index) ?? 0) + 1);
      if (index === 2) return { exit: { code: 9 } };
      return index === 1 && tries.get(index) === 1 ? { exit: { code: 1 } } : writes(index);
    }, items);
    const { fate } = await ended(place, rules);
    expect(fate).toMatchObject({ outcome: 'failed', failedItems: [2], exitCode: 9, outputs: { rows: [0, 10, null] }, message: '1 of 3 items failed (2): container "main" exited with 9' });
    expect([...tries].toSorted()).toEqual([[0, 1], [1, 2], [2, 2]]);
  });
});
