import { describe, expect, it } from 'vitest';
import { configMaps, jobs } from '../../src/simulation/objects.ts';
import { drainWorker } from '../../src/simulation/worker.ts';
import { instanceLabel, kindLabel, nameAnnotation, nameLabel, stateLabel, statusAnnotation } from '../../src/spec/keys.ts';
import { hour, isStatusWrite, minute, second, type Scene, specText, useScenes } from '../support/scene.ts';

const stage = useScenes();
const long = { runs: 10 * minute };
const owners = (scene: Scene, name = scene.births.at(-1)?.name ?? ''): string[] => (scene.world.job(name)?.metadata.ownerReferences ?? []).map(({ uid }) => uid);
const uidOf = (scene: Scene, name: string): string => scene.world.configMap(name)?.metadata.uid ?? '';

/** A scene whose first Job runs. */
async function running(spec = {}, pod: object = long): Promise<Scene> {
  const scene = stage({ spec, pod });
  scene.queue.send(1);
  await scene.world.run(20 * second);
  expect(scene.births).toHaveLength(1);
  expect(scene.livingPods()).toHaveLength(1);
  return scene;
}

describe('an edit while a Job runs', () => {
  it('leaves the Job alone, and the next one is made from the new text', async () => {
    const scene = await running();
    scene.apply({ job: { image: 'registry.example/worker:2' } });
    await scene.world.run(5 * minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.livingPods()).toHaveLength(1);
    await scene.world.run(6 * minute);
    expect(scene.births[1]?.object.spec.template.spec.containers[0]?.image).toBe('registry.example/worker:2');
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ outcome: 'succeeded' });
  });

  it('with onSpecChange replace ends it, and the next one starts when its pod has gone', async () => {
    const scene = await running({ onSpecChange: 'replace' }, { runs: hour, stopsAfter: 10 * second });
    scene.apply({ onSpecChange: 'replace', job: { image: 'registry.example/worker:2' } });
    await scene.world.run(minute);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ phase: 'final', outcome: 'errored', reason: 'SpecChanged' });
    expect(scene.births).toHaveLength(2);
    expect(scene.births[1]?.object.spec.template.spec.containers[0]?.image).toBe('registry.example/worker:2');
  });

  it('and back again is the old revision again', async () => {
    const scene = await running();
    const before = scene.status().observedHash;
    scene.apply({ timeout: '2h' });
    await scene.world.run(20 * second);
    expect(scene.status().observedHash).not.toBe(before);
    scene.apply();
    await scene.world.run(20 * second);
    expect(scene.status()).toMatchObject({ observedHash: before, oldJobs: 0 });
  });
});

describe('a spec that is deleted while its Job runs', () => {
  it.each(['Background', 'Foreground'] as const)('takes the Job with it (%s)', async (propagation) => {
    const scene = await running();
    scene.world.deleteConfigMap('thumbnails', { propagation });
    await scene.world.run(minute);
    expect(scene.world.configMap('thumbnails')).toBeUndefined();
    expect(scene.world.jobs()).toEqual([]);
    expect(scene.livingPods()).toEqual([]);
    scene.queue.send(5);
    await scene.world.run(10 * minute);
    expect(scene.births).toHaveLength(1);
  });

  it('with onSpecDelete finish lets it finish, and its outcome is written down', async () => {
    const scene = await running({ onSpecDelete: 'finish' });
    expect(owners(scene)).toEqual([]);
    scene.world.deleteConfigMap('thumbnails');
    await scene.world.run(11 * minute);
    expect(scene.outcome()).toMatchObject({ phase: 'final', outcome: 'succeeded' });
    expect(scene.births).toHaveLength(1);
  });

  it('onSpecDelete is what it was when the Job was made', async () => {
    const scene = await running({ onSpecDelete: 'finish' });
    scene.apply({ onSpecDelete: 'delete' });
    await scene.world.run(20 * second);
    scene.world.deleteConfigMap('thumbnails');
    await scene.world.run(11 * minute);
    expect(scene.outcome()).toMatchObject({ outcome: 'succeeded' });
  });

  it('its Jobs are still given up on', async () => {
    const scene = await running({ onSpecDelete: 'finish', timeout: '5m' }, { runs: 10 * hour });
    scene.world.deleteConfigMap('thumbnails');
    await scene.world.run(6 * minute);
    expect(scene.outcome()).toMatchObject({ outcome: 'failed', reason: 'Timeout' });
  });

  it('re-created at once under the same name (Argo CD\'s BeforeHookCreation) meets its own Jobs: no second one beside the first', async () => {
    let made = 0;
    const scene: Scene = stage({ pod: () => ((made += 1) === 1 ? { runs: hour, stopsAfter: 20 * second } : drainWorker(scene.queue)) });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    scene.world.deleteConfigMap('thumbnails');
    await scene.world.run(100);
    scene.apply();
    await scene.world.run(10 * second);
    expect(scene.births).toHaveLength(1);
    expect(scene.status()).toMatchObject({ state: 'Ending', reason: 'PodsRemain' });
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    expect(scene.births).toHaveLength(2);
    expect(owners(scene)).toEqual([uidOf(scene, 'thumbnails')]);
  });

  it('re-created with onSpecDelete finish keeps the Job that runs', async () => {
    const scene = await running({ onSpecDelete: 'finish' });
    scene.world.deleteConfigMap('thumbnails');
    await scene.world.run(second);
    scene.apply({ onSpecDelete: 'finish' });
    await scene.world.run(minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.status()).toMatchObject({ state: 'Running', liveJobs: 1, oldJobs: 0 });
  });
});

describe('switches', () => {
  it('suspend starts nothing, lets run what runs, and resume goes on', async () => {
    const scene = await running({}, { runs: minute });
    scene.apply({ suspend: true });
    await scene.world.run(20 * minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.outcome()).toMatchObject({ outcome: 'succeeded' });
    expect(scene.status()).toMatchObject({ state: 'Suspended', reason: 'SpecSuspended' });
    expect(scene.world.events().filter((text) => text.includes('SpecSuspended'))).toHaveLength(1);
    scene.apply();
    await scene.world.run(2 * second);
    expect(scene.births).toHaveLength(2);
  });

  it('observe reports what it would do, and does nothing', async () => {
    const scene = stage({ spec: { observe: true, drain: { pods: { max: 3 } } } });
    scene.queue.send(2);
    await scene.world.run(10 * minute);
    expect(scene.births).toEqual([]);
    expect(scene.status()).toMatchObject({ state: 'Idle', reason: 'SpecObserved', message: 'would start a Job with 2 pods; observe is true' });
    scene.apply({ drain: { pods: { max: 3 } } });
    await scene.world.run(10 * second);
    expect(scene.births[0]?.object.spec.parallelism).toBe(2);
  });
});

describe('a name that another ConfigMap takes over', () => {
  const named = { name: 'images' };

  it.each(['Background', 'Foreground'] as const)('renamed by a generator hash: the new one comes first, the old one is pruned (%s), and the Job runs on', async (propagation) => {
    const scene = stage({ spec: 'none', pod: long });
    scene.apply({ ...named, onSpecDelete: 'delete' }, 'thumbnails-5kt2dg9bh8');
    scene.queue.send(1);
    await scene.world.run(20 * second);
    expect(owners(scene)).toEqual([uidOf(scene, 'thumbnails-5kt2dg9bh8')]);
    scene.apply({ ...named, onSpecDelete: 'delete', job: { image: 'registry.example/worker:2' } }, 'thumbnails-7mbf2k46ct');
    await scene.world.run(2 * second);
    expect(owners(scene)).toEqual([uidOf(scene, 'thumbnails-7mbf2k46ct')]);
    scene.world.deleteConfigMap('thumbnails-5kt2dg9bh8', { propagation });
    await scene.world.run(5 * minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.livingPods()).toHaveLength(1);
    expect(scene.status('thumbnails-7mbf2k46ct')).toMatchObject({ state: 'Running', liveJobs: 1, oldJobs: 1 });
    await scene.world.run(6 * minute);
    expect(scene.births[1]?.object.spec.template.spec.containers[0]?.image).toBe('registry.example/worker:2');
  });

  it('with a hash in its name the Job is left to finish by default', async () => {
    const scene = stage({ spec: 'none', pod: long });
    scene.apply(named, 'thumbnails-5kt2dg9bh8');
    scene.queue.send(1);
    await scene.world.run(20 * second);
    expect(owners(scene)).toEqual([]);
  });

  it('the newest wins; the loser says by whom it was superseded', async () => {
    const scene = stage({ spec: 'none', pod: long });
    scene.apply(named, 'first');
    await scene.world.run(5 * second);
    scene.apply({ ...named, job: { image: 'registry.example/worker:2' } }, 'second');
    await scene.world.run(20 * second);
    expect(scene.status('first')).toMatchObject({ state: 'Superseded', reason: 'SpecSuperseded', message: '"second" also defines queue "images" and is newer', liveJobs: 0 });
    expect(scene.status('first').conditions).toContainEqual(expect.objectContaining({ type: 'Accepted', status: 'False' }));
    expect(scene.status('second')).toMatchObject({ state: 'Idle' });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    expect(scene.births[0]?.object.spec.template.spec.containers[0]?.image).toBe('registry.example/worker:2');
    expect(scene.world.events().filter((text) => text.startsWith('ConfigMap/first SpecSuperseded'))).toHaveLength(1);
  });

  it('of two from the same second the smaller name wins, whoever was seen first', async () => {
    const scene = stage({ spec: 'none' });
    scene.apply(named, 'b');
    scene.apply(named, 'a');
    await scene.world.run(30 * second);
    expect([scene.status('a').state, scene.status('b').state]).toEqual(['Idle', 'Superseded']);
    await scene.restart();
    await scene.world.run(30 * second);
    expect([scene.status('a').state, scene.status('b').state]).toEqual(['Idle', 'Superseded']);
  });

  it('when the winner is deleted the loser takes over, and the finished Jobs follow it', async () => {
    const scene = stage({ spec: 'none', pod: { runs: second } });
    scene.apply(named, 'first');
    scene.queue.send(1);
    await scene.world.runUntil(() => scene.verdict() === 'Complete');
    scene.queue.complete(scene.queue.fetch() ?? { id: '', sentAt: 0, readyAt: 0, state: 'dead', deliveries: 0, completions: 0, completedAt: undefined });
    await scene.world.run(minute);
    const { length } = scene.births;
    scene.apply(named, 'second');
    await scene.world.run(20 * second);
    expect(scene.world.jobs().map(({ metadata }) => metadata.ownerReferences?.[0]?.uid)).toEqual(Array.from({ length }, () => uidOf(scene, 'second')));
    scene.world.deleteConfigMap('second');
    await scene.world.run(30 * second);
    expect(scene.status('first').state).toBe('Idle');
    scene.queue.send(1);
    await scene.world.run(5 * second);
    expect(scene.births.length).toBeGreaterThan(length);
    expect(owners(scene, scene.births[length]?.name)).toEqual([uidOf(scene, 'first')]);
  });

  it('two ConfigMaps that swap their names keep their queues apart', async () => {
    const scene = stage({ spec: 'none' });
    const other = scene.world.queue('other');
    scene.world.cluster.script = (pod) => drainWorker(scene.queueOf(pod), { perMessage: minute });
    const source = { pgBoss: { connection: 'main', queue: 'other' } };
    scene.apply({ name: 'one' }, 'a');
    scene.apply({ name: 'two', source }, 'b');
    scene.queue.send(2);
    other.send(2);
    await scene.world.run(20 * second);
    expect(scene.births).toHaveLength(2);
    scene.apply({ name: 'two' }, 'a');
    scene.apply({ name: 'one', source }, 'b');
    await scene.world.run(10 * minute);
    expect(scene.allDone).toBe(true);
    expect(other.unfinished).toBe(0);
    expect([...scene.queue.messages, ...other.messages].map(({ completions }) => completions)).toEqual([1, 1, 1, 1]);
    expect(scene.status('a').state).toBe('Idle');
    expect(scene.status('b').state).toBe('Idle');
  });
});

describe('a broken spec', () => {
  it('is rejected with line and column while its Job runs on, and accepted again when it is mended', async () => {
    const scene = await running();
    scene.applyText('apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main\n');
    await scene.world.run(20 * second);
    expect(scene.status()).toMatchObject({ state: 'Rejected', reason: 'SpecRejected', liveJobs: 1 });
    expect(scene.status().message).toMatch(/^line \d+, column \d+: /u);
    expect(scene.livingPods()).toHaveLength(1);
    await scene.world.run(20 * minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.outcome()).toMatchObject({ outcome: 'succeeded' });
    scene.apply();
    await scene.world.run(3 * second);
    expect(scene.births).toHaveLength(2);
    await scene.world.run(10 * second);
    expect(scene.status()).toMatchObject({ state: 'Running' });
  });

  it('stops nobody else', async () => {
    const scene = stage();
    scene.applyText('nonsense', 'broken');
    scene.apply({ drain: { podz: 3 } }, 'worse');
    scene.world.applyObject(configMaps, { metadata: { name: 'empty', labels: { [kindLabel]: 'queue' } } });
    scene.queue.send(3);
    await scene.world.run(minute);
    expect(scene.allDone).toBe(true);
    expect(['broken', 'worse', 'empty'].map((name) => scene.label(name, stateLabel))).toEqual(['Rejected', 'Rejected', 'Rejected']);
    expect(scene.status('worse').message).toContain('podz');
  });

  it.each([
    ['a kind that does not exist', 'apiVersion: job-chief/v1\nkind: Queu\n', 'queue', /Queu/u],
    ['a label that says another kind', specText({ name: 'x' }), 'workflow', /workflow/u],
    ['a label of no known kind', specText({ name: 'x' }), 'queues', /queues/u],
  ])('%s is rejected and says so', async (_name, text, label, message) => {
    const scene = stage({ spec: 'none' });
    scene.world.applyObject(configMaps, { metadata: { name: 'strange', labels: { [kindLabel]: label } }, data: { 'spec.yaml': text } });
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.births).toEqual([]);
    expect(scene.label('strange', stateLabel)).toBe('Rejected');
    expect(scene.status('strange').message).toMatch(message);
  });
});

describe('names', () => {
  it('a ConfigMap with a name of 253 characters works', async () => {
    const name = `${'a.long-name.'.repeat(21)}x`;
    expect(name).toHaveLength(253);
    const scene = stage({ spec: 'none' });
    scene.apply({}, name);
    scene.queue.send(2);
    await scene.world.run(minute);
    expect(scene.allDone).toBe(true);
    expect(scene.births[0]?.object.metadata.labels?.[nameLabel]?.length).toBeLessThanOrEqual(63);
    expect(scene.births[0]?.object.metadata.annotations?.[nameAnnotation]).toBe(name);
    await scene.restart();
    await scene.world.run(20 * second);
    expect(scene.births).toHaveLength(1);
    expect(scene.status(name)).toMatchObject({ state: 'Idle', lastRun: { outcome: 'succeeded' } });
  });

  it.each(['with_underscore', 'tenant/images', 'UpperCase', 'dots.and spaces', 'ünïcödé', 'long'.repeat(100)])('a queue called "%s" works', async (name) => {
    const scene = stage({ spec: 'none' });
    const queue = scene.world.queue(name);
    scene.world.cluster.script = () => drainWorker(queue);
    scene.apply({ source: { pgBoss: { connection: 'main', queue: name } } });
    queue.send(2);
    await scene.world.run(minute);
    expect(queue.unfinished).toBe(0);
    expect(scene.births[0]?.object.spec.template.spec.containers[0]?.env).toContainEqual({ name: 'QUEUE_NAME', value: name });
  });
});

describe('labels and annotations that others touch', () => {
  it('a status that was wiped (Replace=true) is written again', async () => {
    const scene = await running();
    scene.world.cluster.registry.update(configMaps, 'thumbnails', (object) => ({ ...object, metadata: { ...object.metadata, annotations: {}, labels: { [kindLabel]: 'queue' } } }));
    await scene.world.run(20 * second);
    expect(scene.status()).toMatchObject({ state: 'Running' });
    expect(scene.label('thumbnails', stateLabel)).toBe('Running');
  });

  it('somebody who wipes it again and again is not fought at full speed', async () => {
    const scene = await running();
    const before = scene.requests(isStatusWrite).length;
    scene.world.cluster.store.subscribe(({ resource, object }) => {
      if (resource !== configMaps || object.metadata.annotations?.[statusAnnotation] === undefined) return;
      scene.world.clock.timer(50, () => {
        scene.world.cluster.registry.update(configMaps, 'thumbnails', (current) => ({ ...current, metadata: { ...current.metadata, annotations: {} } }));
      });
    });
    await scene.world.run(5 * minute);
    expect(scene.requests(isStatusWrite).length - before).toBeLessThan(40);
  });

  it('nonsense in the status annotation is overwritten', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.cluster.registry.create(configMaps, { metadata: { name: 'thumbnails', labels: { [kindLabel]: 'queue' }, annotations: { [statusAnnotation]: '{"conditions": 7' } }, data: { 'spec.yaml': specText() } });
    await scene.world.run(20 * second);
    expect(scene.status()).toMatchObject({ state: 'Idle' });
  });

  it('without its label a ConfigMap is no spec: its Job is left to its owner, and nothing new starts', async () => {
    const scene = await running();
    scene.world.cluster.registry.update(configMaps, 'thumbnails', (object) => ({ ...object, metadata: { ...object.metadata, labels: {} } }));
    await scene.world.run(20 * minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.outcome()).toMatchObject({ phase: 'final', outcome: 'succeeded' });
    scene.world.applyObject(configMaps, { metadata: { name: 'thumbnails', labels: { [kindLabel]: 'queue' } } });
    await scene.world.run(5 * second);
    expect(scene.births).toHaveLength(2);
  });

  it('with another instance\'s label it belongs to that instance', async () => {
    const scene = stage({ pod: { runs: minute } });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    scene.apply({}, 'thumbnails', { [instanceLabel]: 'blue' });
    await scene.world.run(10 * minute);
    expect(scene.births).toHaveLength(1);
    scene.start({ instance: 'blue' });
    await scene.world.run(10 * second);
    expect(scene.births).toHaveLength(2);
    expect(scene.births[1]?.object.metadata.labels?.[instanceLabel]).toBe('blue');
  });

  it('a Job that somebody else made with our labels but no sense is left alone', async () => {
    const scene = stage();
    scene.world.cluster.registry.create(jobs, { metadata: { name: 'theirs', labels: { app: 'theirs' } }, spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x' }] } } } });
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.allDone).toBe(true);
    expect(scene.world.job('theirs')).toBeDefined();
    scene.invariants.violations.splice(0, scene.invariants.violations.length, ...scene.invariants.violations.filter((text) => !text.includes('"theirs"')));
  });
});
