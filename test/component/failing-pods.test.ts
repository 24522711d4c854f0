import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import { jobs, pods } from '../../src/simulation/objects.ts';
import { drainWorker } from '../../src/simulation/worker.ts';
import { hour, minute, second, type Scene, useScenes } from '../support/scene.ts';

const stage = useScenes();
/** Stays in ContainerCreating for good: the test itself writes what its kubelet would say. */
const stuck = { startsAfter: Infinity };

const template: JsonObject = {
  spec: { template: { spec: {
    initContainers: [{ name: 'migrate', image: 'registry.example/migrate:1' }],
    containers: [{ name: 'main', image: 'registry.example/worker:1' }, { name: 'proxy', image: 'registry.example/proxy:1' }],
  } } },
};

function waitingStatus(container: string, reason: string): JsonObject {
  const state = (name: string, why: string): JsonObject => ({ name, image: '', imageID: '', ready: false, started: false, restartCount: 0, lastState: {}, state: { waiting: { reason: why, message: `${why} says the kubelet` } } });
  const names = ['main', 'proxy'];
  return {
    initContainerStatuses: [state('migrate', container === 'migrate' ? reason : 'PodInitializing')],
    containerStatuses: names.map((name) => state(name, name === container ? reason : 'PodInitializing')),
  };
}

/** When the Job was told to end, in seconds since the start. */
function endTime(scene: Scene): () => number | undefined {
  let at: number | undefined;
  scene.world.cluster.store.subscribe(({ resource, object }) => {
    const { spec } = object as unknown as { spec?: { activeDeadlineSeconds?: number } };
    if (resource === jobs && spec?.activeDeadlineSeconds === 1) at ??= scene.now;
  });
  return () => at;
}

describe('a pod that will not start', () => {
  const reasons = ['ErrImagePull', 'ImagePullBackOff', 'CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'RegistryUnavailable', 'ImageInspectError'];
  const hopeless = ['InvalidImageName', 'ErrImageNeverPull'];

  it.each([...reasons.map((reason) => [reason, 30] as const), ...hopeless.map((reason) => [reason, 0] as const)].flatMap(([reason, grace]) => ['main', 'proxy', 'migrate'].map((container) => [reason, container, grace] as const)))(
    '%s in container "%s" ends the Job after %i s',
    async (reason, container, grace) => {
      const scene = stage({ spec: { jobTemplate: template }, pod: stuck });
      const ended = endTime(scene);
      scene.queue.send(1);
      await scene.world.runUntil(() => scene.livingPods().length === 1);
      await scene.world.run(second);
      const [pod] = scene.livingPods();
      if (pod) scene.writePodStatus(pod, waitingStatus(container, reason));
      const since = scene.now;
      await scene.world.run(50 * second);
      expect((ended() ?? Infinity) - since).toBeGreaterThanOrEqual(grace);
      expect((ended() ?? Infinity) - since).toBeLessThan(grace + 0.2);
      expect(scene.verdict()).toBe('Failed');
      expect(scene.outcome()).toEqual({ phase: 'final', outcome: 'notStarted', reason, message: `container "${container}": ${reason} says the kubelet` });
      expect(scene.status().lastRun).toMatchObject({ outcome: 'notStarted', reason });
      expect(scene.livingPods()).toEqual([]);
    },
  );

  it.each([
    ['an image that comes within the grace', { image: { for: 10 * second } }],
    ['a Secret that comes within the grace', { config: { for: 10 * second } }],
    ['a node that is found late', { unschedulable: { for: 14 * minute } }],
    ['a slow start', { startsAfter: 14 * minute }],
  ])('%s is waited for', async (_name, trouble) => {
    const scene = stage({ pod: () => ({ ...drainWorker(scene.queue), ...trouble }) });
    scene.queue.send(1);
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    await scene.world.run(10 * second);
    expect(scene.births).toHaveLength(1);
    expect(scene.outcome()).toMatchObject({ outcome: 'succeeded' });
  });

  it('the grace runs on while the kubelet alternates between an error and its back-off', async () => {
    const scene = stage({ pod: { image: { for: Infinity } } });
    const ended = endTime(scene);
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(ended()).toBeGreaterThan(30);
    expect(ended()).toBeLessThan(32);
    expect(['ErrImagePull', 'ImagePullBackOff']).toContain(scene.outcome()?.reason);
    expect(scene.outcome()?.message).toContain('registry.example/worker:1');
  });

  it('no node for startTimeout ends the Job, with the scheduler\'s words in status and outcome', async () => {
    const scene = stage({ pod: { unschedulable: { for: Infinity, message: '0/3 nodes are available: 3 Insufficient memory.' } } });
    const ended = endTime(scene);
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.status()).toMatchObject({ state: 'Starting', reason: 'JobStarting' });
    expect(scene.status().message).toContain('Unschedulable: 0/3 nodes are available: 3 Insufficient memory.');
    await scene.world.run(15 * minute);
    expect(ended()).toBeGreaterThan(899);
    expect(ended()).toBeLessThan(902);
    expect(scene.outcome()).toMatchObject({ outcome: 'notStarted', reason: 'StartTimeout' });
    expect(scene.outcome()?.message).toContain('3 Insufficient memory');
  });

  it('startTimeout may be longer or shorter', async () => {
    const scene = stage({ spec: { startTimeout: '90s' }, pod: { unschedulable: { for: Infinity } } });
    const ended = endTime(scene);
    scene.queue.send(1);
    await scene.world.run(5 * minute);
    expect(ended()).toBeGreaterThan(89);
    expect(ended()).toBeLessThan(92);
  });

  it('a volume that cannot be mounted is explained by the kubelet\'s Event', async () => {
    const jobTemplate = { spec: { template: { spec: {
      containers: [{ name: 'main', image: 'registry.example/worker:1', volumeMounts: [{ name: 'keys', mountPath: '/keys' }] }],
      volumes: [{ name: 'keys', secret: { secretName: 'keys' } }],
    } } } };
    const scene = stage({ spec: { jobTemplate, startTimeout: '3m' } });
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.status().message).toMatch(/FailedMount: .*"keys"/u);
    await scene.world.run(3 * minute);
    expect(scene.outcome()).toMatchObject({ outcome: 'notStarted', reason: 'StartTimeout' });
    expect(scene.outcome()?.message).toMatch(/FailedMount: .*"keys"/u);
  });

  it('a pod that admission refuses is explained by the Job controller\'s Event', async () => {
    const scene = stage({ spec: { startTimeout: '3m' }, refuse: (resource) => (resource === pods ? { code: 403, reason: 'Forbidden', message: 'pods "x" is forbidden: error looking up service account default/worker: serviceaccount "worker" not found' } : undefined) });
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.status()).toMatchObject({ state: 'Starting', reason: 'NoPodCreated' });
    expect(scene.status().message).toContain('serviceaccount "worker" not found');
    expect(scene.world.events().some((text) => text.startsWith('ConfigMap/thumbnails NoPodCreated'))).toBe(true);
    await scene.world.run(4 * minute);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ outcome: 'notStarted', reason: 'StartTimeout' });
    expect(scene.outcome(scene.births[0]?.name)?.message).toContain('serviceaccount "worker" not found');
  });

  it('without the right on Events it is given up all the same', async () => {
    const scene = stage({ spec: { startTimeout: '3m' }, allows: ({ resource }) => resource !== 'events', refuse: (resource) => (resource === pods ? { code: 403, reason: 'Forbidden', message: 'no' } : undefined) });
    scene.queue.send(1);
    await scene.world.run(4 * minute);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ outcome: 'notStarted', reason: 'StartTimeout', message: 'no container started within 180 s' });
  });

  it('one healthy pod is reason enough to go on', async () => {
    let made = 0;
    const scene = stage({ spec: { drain: { pods: { max: 2 } } }, pod: () => ((made += 1) === 1 ? { image: { for: Infinity } } : { runs: 20 * minute }) });
    const ended = endTime(scene);
    scene.queue.send(2);
    await scene.world.run(15 * minute);
    expect(ended()).toBeUndefined();
    expect(scene.status()).toMatchObject({ state: 'Running' });
  });

  it('one pod left that cannot start ends the Job once the healthy one is done', async () => {
    let made = 0;
    const scene = stage({ spec: { drain: { pods: { max: 2 } } }, pod: () => ((made += 1) === 1 ? { image: { for: Infinity } } : { runs: 5 * minute }) });
    scene.queue.send(2);
    await scene.world.run(7 * minute);
    expect(scene.verdict(scene.births[0]?.name)).toBe('Failed');
    expect(scene.livingPods().filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === scene.births[0]?.uid)).toEqual([]);
  });
});

describe('a pod that is lost to the cluster', () => {
  it('is replaced when it was evicted, within the same Job', async () => {
    let made = 0;
    const scene = stage({ pod: () => ((made += 1) === 1 ? { runs: hour, evictedAfter: 10 * second } : drainWorker(scene.queue)) });
    scene.queue.send(1);
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    await scene.world.run(20 * second);
    expect(scene.births).toHaveLength(1);
    expect(scene.outcome()).toMatchObject({ outcome: 'succeeded' });
    expect(made).toBe(2);
  });

  it('is replaced when its node was drained, after it has gone', async () => {
    const scene = stage({ worker: { perMessage: minute } });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    const [pod] = scene.livingPods();
    scene.world.cluster.kubelet?.drain(pod?.metadata.name ?? '');
    await scene.world.run(10 * second);
    expect(scene.livingPods()).toHaveLength(1);
    expect(scene.livingPods()[0]?.metadata.uid).not.toBe(pod?.metadata.uid);
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    await scene.world.run(20 * second);
    expect(scene.births).toHaveLength(1);
    expect(scene.queue.messages[0]).toMatchObject({ completions: 1, deliveries: 2 });
  });

  it('is replaced long after its Job was to have started: that Job has started, and is not given up on', async () => {
    const scene = stage({ spec: { startTimeout: '2m' }, worker: { perMessage: 10 * minute } });
    scene.queue.send(1);
    await scene.world.run(5 * minute);
    scene.world.cluster.kubelet?.drain(scene.livingPods()[0]?.metadata.name ?? '');
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    await scene.world.run(20 * second);
    expect(scene.births).toHaveLength(1);
    expect(scene.outcome()).toMatchObject({ outcome: 'succeeded' });
  });

  it('with the user\'s own policy an eviction is an error of the infrastructure, and the next Job takes over', async () => {
    let made = 0;
    const policy = { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] };
    const jobTemplate = { spec: { backoffLimit: 0, podFailurePolicy: policy, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.example/worker:1' }] } } } };
    const scene = stage({ spec: { jobTemplate }, pod: () => ((made += 1) === 1 ? { runs: hour, evictedAfter: 10 * second } : drainWorker(scene.queue)) });
    scene.queue.send(1);
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ outcome: 'errored', reason: 'Evicted' });
    expect(scene.births).toHaveLength(2);
  });

  it('keeps the slot while its node is silent, and the status names pod and node', async () => {
    let made = 0;
    const scene = stage({ spec: { timeout: '20m' }, pod: () => ((made += 1) === 1 ? { runs: hour, nodeLost: { after: 10 * second, removedAfter: 2 * hour } } : drainWorker(scene.queue)) });
    scene.queue.send(1);
    await scene.world.run(90 * minute);
    expect(scene.births).toHaveLength(1);
    const [pod] = scene.livingPods();
    expect(scene.status()).toMatchObject({ state: 'Ending', liveJobs: 1 });
    expect(scene.status().message).toContain(`pod "${pod?.metadata.name ?? '?'}" still lives on node "node-1"`);
    expect(await scene.world.runUntil(() => scene.allDone, 2 * hour)).toBe(true);
    expect(scene.births[1]?.at ?? 0).toBeGreaterThan(7200);
  });
});

describe('a container that ends badly', () => {
  it.each([
    ['exit code', { code: 4 }, { outcome: 'failed', reason: 'Error', exitCode: 4 }],
    ['out of memory', { code: 137, reason: 'OOMKilled' }, { outcome: 'failed', reason: 'OOMKilled', exitCode: 137 }],
    ['a command that is not there', { code: 128, reason: 'StartError', message: 'no such file' }, { outcome: 'notStarted', reason: 'StartError' }],
  ])('%s: the Job is over and the next one follows after the wait', async (_name, exit, outcome) => {
    const scene = stage({ pod: { runs: second, exit } });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    expect(scene.verdict()).toBe('Failed');
    expect(scene.outcome()).toMatchObject(outcome);
    await scene.world.run(3 * minute);
    expect(scene.births.length).toBeGreaterThan(1);
  });

  it('one of several pods fails: the Job fails, and says which container', async () => {
    let made = 0;
    const scene = stage({ spec: { drain: { pods: { max: 3 } } }, pod: () => ((made += 1) === 2 ? { runs: 5 * second, exit: { code: 9, message: 'disk full' } } : { runs: hour }) });
    scene.queue.send(3);
    await scene.world.run(29 * second);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ outcome: 'failed', message: 'container "main" exited with 9: disk full', exitCode: 9 });
    expect(scene.livingPods()).toEqual([]);
  });

  it('runs longer than timeout: it is ended, its message comes back, and the record says so', async () => {
    const scene = stage({ spec: { timeout: '10m' }, worker: { perMessage: hour } });
    scene.queue.send(1);
    await scene.world.run(9 * minute);
    expect(scene.verdict()).toBe('none');
    await scene.world.run(80 * second);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ outcome: 'failed', reason: 'Timeout', message: 'still running after its timeout of 600 s' });
    expect(scene.queue.messages[0]?.state).toBe('waiting');
  });

  it('the timeout runs from the first started container, not from the create', async () => {
    const scene = stage({ spec: { timeout: '5m' }, pod: { startsAfter: 10 * minute, runs: hour } });
    scene.queue.send(1);
    await scene.world.run(14 * minute);
    expect(scene.verdict()).toBe('none');
    await scene.world.run(80 * second);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ reason: 'Timeout' });
  });

  it('while the controller is away, activeDeadlineSeconds ends it', async () => {
    const scene = stage({ spec: { timeout: '10m' }, pod: { runs: 10 * hour } });
    scene.queue.send(1);
    await scene.world.run(minute);
    scene.controller?.kill();
    await scene.world.run(30 * minute);
    expect(scene.verdict()).toBe('Failed');
    scene.start();
    await scene.world.run(20 * second);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ outcome: 'failed', reason: 'Timeout' });
  });
});

describe('a Job that Kueue holds suspended', () => {
  const suspend = (scene: Scene, name: string, value: boolean): void => {
    scene.world.cluster.registry.update(jobs, name, (object) => ({ ...object, spec: { ...(object['spec'] as JsonObject), suspend: value } }));
  };

  it('is left alone for hours, keeps the slot, and is drained when it is resumed', async () => {
    const scene = stage();
    // Kueue's webhook suspends at the create.
    scene.world.cluster.store.subscribe(({ type, resource, object }) => {
      if (type === 'ADDED' && resource === jobs) suspend(scene, object.metadata.name, true);
    });
    scene.queue.send(3);
    await scene.world.run(7 * hour);
    expect(scene.births).toHaveLength(1);
    expect(scene.verdict()).toBe('none');
    expect(scene.status()).toMatchObject({ state: 'Starting', reason: 'JobSuspended', liveJobs: 1 });
    suspend(scene, scene.births[0]?.name ?? '', false);
    expect(await scene.world.runUntil(() => scene.allDone, 5 * minute)).toBe(true);
    await scene.world.run(10 * second);
    expect(scene.outcome()).toMatchObject({ outcome: 'succeeded' });
    expect(scene.births).toHaveLength(1);
  });

  it('startTimeout begins when it is resumed', async () => {
    const scene = stage({ spec: { startTimeout: '5m' }, pod: { unschedulable: { for: Infinity } } });
    scene.queue.send(1);
    await scene.world.run(minute);
    suspend(scene, scene.births[0]?.name ?? '', true);
    await scene.world.run(3 * hour);
    expect(scene.verdict()).toBe('none');
    suspend(scene, scene.births[0]?.name ?? '', false);
    await scene.world.run(4 * minute);
    expect(scene.verdict()).toBe('none');
    await scene.world.run(80 * second);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ outcome: 'notStarted', reason: 'StartTimeout' });
  });
});
