/** Pods as measured on a real kubelet: see the table of times in each name. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { hasCondition } from '../../../src/simulation/job-shape.ts';
import { jobs, secrets } from '../../../src/simulation/objects.ts';
import type { PodScript } from '../../../src/simulation/pod-script.ts';
import { simulate, type Simulation } from '../../support/simulation.ts';

function start(script: PodScript, spec: JsonObject = {}, pod: JsonObject = {}): Simulation {
  const world = simulate({ script: () => script });
  world.cluster.registry.create(jobs, {
    metadata: { name: 'one' },
    spec: { backoffLimit: 0, ...spec, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }], ...pod } } },
  });
  return world;
}

/** Virtual seconds until it holds. */
async function seconds(world: Simulation, condition: () => boolean, limit = 600_000): Promise<number> {
  expect(await world.runUntil(condition, limit)).toBe(true);
  return world.clock.monotonic() / 1000;
}

const pod = (world: Simulation) => world.pods()[0];
const container = (world: Simulation) => pod(world)?.status.containerStatuses?.[0];
const running = (world: Simulation) => (): boolean => container(world)?.state.running !== undefined;
const waits = (world: Simulation, reason: string) => (): boolean => container(world)?.state.waiting?.['reason'] === reason;
const jobIs = (world: Simulation, type: string) => (): boolean => world.jobs().some((job) => hasCondition(job.status, type));
const reason = (world: Simulation): string | undefined => world.job('one')?.status.conditions?.find(({ type }) => type === 'Failed')?.reason;

describe('the start of a pod', () => {
  it('takes about 0.65 s', async () => {
    const world = start({});
    const time = await seconds(world, running(world));
    expect(time).toBeGreaterThan(0.55);
    expect(time).toBeLessThan(0.75);
  });

  it.each([
    [0.05, 0.5, 0.8], [0.3, 0.7, 1.6], [1, 1.8, 2.6], [3, 3.9, 4.7], [8, 15.7, 16.7], [20, 31.5, 32.9],
  ])('with a Secret volume that is %d s late comes between %d and %d s', async (late, from, to) => {
    const world = start({}, {}, { volumes: [{ name: 'body', secret: { secretName: 'body' } }] });
    world.clock.timer(late * 1000, () => { world.cluster.registry.create(secrets, { metadata: { name: 'body' } }); });
    const time = await seconds(world, () => {
      expect([undefined, 'ContainerCreating']).toContain(container(world)?.state.waiting?.['reason']);
      return running(world)();
    });
    expect(time).toBeGreaterThan(from);
    expect(time).toBeLessThan(to);
  });

  it.each([[0.3, 0.5, 0.8], [1, 11, 16], [8, 11, 16], [20, 23, 28]])('with env from a Secret that is %d s late comes between %d and %d s', async (late, from, to) => {
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'body', key: 'a' } } }];
    const world = start({}, {}, { containers: [{ name: 'main', image: 'work', env }] });
    world.clock.timer(late * 1000, () => { world.cluster.registry.create(secrets, { metadata: { name: 'body' } }); });
    const time = await seconds(world, running(world));
    expect(time).toBeGreaterThan(from);
    expect(time).toBeLessThan(to);
  });

  it('waits for a node as long as the scheduler finds none, and says why', async () => {
    const world = start({ unschedulable: { for: 60_000 } });
    await world.run(30_000);
    expect(pod(world)?.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }]);
    expect(world.events().join()).toContain('FailedScheduling: 0/1 nodes are available');
    expect(await seconds(world, running(world))).toBeLessThan(62);
  });

  it('swings between ErrImagePull and ImagePullBackOff until the image is there', async () => {
    const world = start({ image: { for: 40_000 } });
    await seconds(world, waits(world, 'ErrImagePull'));
    await seconds(world, waits(world, 'ImagePullBackOff'));
    await seconds(world, waits(world, 'ErrImagePull'));
    expect(await seconds(world, running(world))).toBeGreaterThan(40);
    expect(world.events().join()).toContain('Error: ErrImagePull');
  });

  it('stays at an image name that cannot be read', async () => {
    const world = start({ image: { for: Infinity, reason: 'InvalidImageName' } });
    await world.run(120_000);
    expect(waits(world, 'InvalidImageName')()).toBe(true);
  });
});

describe('the end of a pod', () => {
  it('shows the container first, the phase 1.04-1.11 s later, and the Job 1.4-2.3 s later', async () => {
    const world = start({ runs: 3000 });
    const exit = await seconds(world, () => container(world)?.state.terminated !== undefined);
    expect(pod(world)?.status.phase).toBe('Running');
    const phase = await seconds(world, () => pod(world)?.status.phase === 'Succeeded');
    const complete = await seconds(world, jobIs(world, 'Complete'));
    expect(phase - exit).toBeGreaterThan(1.03);
    expect(phase - exit).toBeLessThan(1.12);
    expect(complete - exit).toBeGreaterThan(1.3);
    expect(complete - exit).toBeLessThan(2.3);
  });

  it('carries exit code, reason and message', async () => {
    const world = start({ exit: { code: 137, reason: 'OOMKilled', message: 'too big' } });
    await seconds(world, jobIs(world, 'Failed'));
    expect(container(world)?.state.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled', message: 'too big' });
    expect(reason(world)).toBe('BackoffLimitExceeded');
  });

  it('keeps the last 4096 bytes of a termination message, in bytes', async () => {
    const world = start({ exit: { code: 0, message: `lost${'ä'.repeat(2047)}!!` } });
    await seconds(world, jobIs(world, 'Complete'));
    expect(container(world)?.state.terminated?.['message']).toBe(`${'ä'.repeat(2047)}!!`);
  });

  it.each([1250, 1600, 2000])('may contradict the Job: exit 0 after %d ms and before a deadline of 3 s is Succeeded, and the Job Failed', async (runs) => {
    const world = start({ runs }, { activeDeadlineSeconds: 3 });
    const phases = new Set<string | undefined>();
    await seconds(world, () => {
      phases.add(pod(world)?.status.phase);
      return jobIs(world, 'Failed')();
    });
    expect([phases.has('Succeeded'), phases.has('Failed'), reason(world)]).toEqual([true, false, 'DeadlineExceeded']);
  });

  it('comes within the grace period when it is asked to stop, with 137 when it does not listen', async () => {
    const world = start({ runs: Infinity, stopsAfter: Infinity }, {}, { terminationGracePeriodSeconds: 12 });
    await world.run(5000);
    world.cluster.registry.update(jobs, 'one', (job) => ({ ...job, spec: { ...(job['spec'] as JsonObject), activeDeadlineSeconds: 1 } }));
    const announced = await seconds(world, jobIs(world, 'FailureTarget'));
    expect(announced - 5).toBeLessThan(0.15);
    const failed = await seconds(world, jobIs(world, 'Failed'));
    expect(failed - 5).toBeGreaterThan(12);
    expect(failed - 5).toBeLessThan(13.5);
    expect(world.pods()).toEqual([]);
  });

  it('comes within about a second for a pod that cannot pull its image', async () => {
    const world = start({ image: { for: Infinity } });
    await world.run(20_000);
    world.cluster.registry.update(jobs, 'one', (job) => ({ ...job, spec: { ...(job['spec'] as JsonObject), activeDeadlineSeconds: 1 } }));
    const failed = await seconds(world, jobIs(world, 'Failed'));
    expect(failed - 20).toBeLessThan(1.3);
    expect([world.pods(), world.jobs().length]).toEqual([[], 1]);
  });

  it('restarts in place with restartPolicy OnFailure', async () => {
    const world = start({ runs: 1000, exits: [{ code: 1 }, { code: 1 }, { code: 0 }] }, { backoffLimit: 5 }, { restartPolicy: 'OnFailure' });
    await seconds(world, waits(world, 'CrashLoopBackOff'));
    await seconds(world, jobIs(world, 'Complete'));
    expect([container(world)?.restartCount, world.pods().length]).toEqual([2, 1]);
  });

  it('stays with the pod that ended before its eviction or the loss of its node', async () => {
    const world = start({ runs: 1000, evictedAfter: 5000, nodeLost: { after: 6000, removedAfter: 600_000 } });
    await world.run(1_000_000);
    expect([pod(world)?.status.phase, jobIs(world, 'Complete')()]).toEqual(['Succeeded', true]);
  });

  it('does not come while another container waits for its restart', async () => {
    const containers = [{ name: 'main', image: 'work' }, { name: 'helper', image: 'work' }];
    const world = start({ runs: 1000, exits: [{ code: 1 }, { code: 1 }, { code: 0 }], containers: { helper: { runs: 4000, exit: { code: 0 } } } }, { backoffLimit: 9 }, { restartPolicy: 'OnFailure', containers });
    await world.run(9000);
    expect(pod(world)?.status.phase).toBe('Running');
    await seconds(world, jobIs(world, 'Complete'));
    expect(container(world)?.restartCount).toBe(2);
  });

  it('waits for every container, and one of them is enough to fail', async () => {
    const containers = [{ name: 'main', image: 'work' }, { name: 'helper', image: 'work' }];
    const world = start({ runs: 1000, containers: { helper: { runs: 9000, exit: { code: 2 } } } }, {}, { containers });
    await world.run(5000);
    expect(pod(world)?.status.phase).toBe('Running');
    await seconds(world, jobIs(world, 'Failed'));
    expect(pod(world)?.status.phase).toBe('Failed');
  });
});

describe('bad days of a node', () => {
  const podFailurePolicy = { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] };

  it('an eviction with backoffLimit 0 fails the Job', async () => {
    const world = start({ runs: Infinity, evictedAfter: 2000 });
    await seconds(world, jobIs(world, 'Failed'));
    expect(pod(world)?.status).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
  });

  it('an eviction before a container was made ends it as one of which the kubelet knows nothing', async () => {
    const world = start({ image: { for: Infinity } });
    await world.run(5000);
    world.cluster.kubelet?.evict(pod(world)?.metadata.name ?? '');
    expect(pod(world)?.status.containerStatuses?.map(({ state }) => state.terminated)).toMatchObject([{ reason: 'ContainerStatusUnknown', startedAt: null, exitCode: 137 }]);
  });

  it('a drained pod is replaced where the policy ignores disruptions, and only when it is gone', async () => {
    const world = start({ runs: Infinity, stopsAfter: 8000 }, { podFailurePolicy });
    await world.run(3000);
    const first = pod(world)?.metadata.name ?? '';
    world.cluster.kubelet?.drain(first);
    let most = 0;
    await seconds(world, () => {
      most = Math.max(most, world.livingPods().length);
      return world.pods().some(({ metadata, status }) => metadata.name !== first && status.phase === 'Running');
    });
    expect([most, world.jobs()[0]?.status.conditions]).toEqual([1, undefined]);
  });

  it('a pod on a lost node sticks in Terminating until the node is removed', async () => {
    const world = start({ runs: Infinity, nodeLost: { after: 1000, removedAfter: 1_800_000 } }, { podFailurePolicy });
    await world.run(1_200_000);
    expect(pod(world)?.metadata.deletionTimestamp).toBeDefined();
    expect([pod(world)?.status.phase, world.pods().length]).toEqual(['Running', 1]);
    const first = pod(world)?.metadata.name;
    await seconds(world, () => world.pods().some(({ metadata }) => metadata.name !== first), 1_200_000);
    expect(world.pods().some(({ metadata }) => metadata.name === first)).toBe(false);
  });

  it('a refused pod leaves a Job without pods, and an Event that says why', async () => {
    const world = start({});
    world.cluster.quota.set('pods', 0);
    await world.run(5000);
    expect(world.pods()).toEqual([]);
    expect(world.events().join()).toContain('FailedCreate: Error creating: pods');
    world.cluster.quota.delete('pods');
    await seconds(world, jobIs(world, 'Complete'));
  });
});
