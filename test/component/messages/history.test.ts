/** What the history of a queue says, on good days and bad ones. */
import { describe, expect, it } from 'vitest';
import { decodeHistory } from '../../../src/adapters/kubernetes/history-codec.ts';
import type { History, HistoryEntry } from '../../../src/plan/messages/history.ts';
import { objectAt, stringAt } from '../../../src/lib/json.ts';
import { configMaps, type KubeObject } from '../../../src/simulation/objects.ts';
import { historyKey, kindLabel, recordLabel, specKey } from '../../../src/spec/keys.ts';
import { MessageScene, messageQueueKinds, useMessageScenes } from '../../support/message-scene.ts';
import { hour, minute, second } from '../../support/scene.ts';

const stage = useMessageScenes();
const soonGone = { retention: { succeeded: { count: 0 } } };

const objectsOf = ({ world }: MessageScene): KubeObject[] => world.cluster.store.list(configMaps).filter(({ metadata }) => metadata.labels?.[recordLabel] === 'history');

function historyOf(scene: MessageScene): History | undefined {
  const [object] = objectsOf(scene);
  return object && decodeHistory(stringAt(objectAt(object, 'binaryData'), historyKey));
}

const entriesOf = (scene: MessageScene): readonly HistoryEntry[] => historyOf(scene)?.entries ?? [];
const entryOf = (scene: MessageScene, id: string): HistoryEntry | undefined => entriesOf(scene).find((entry) => entry.id === id);
const writesOf = ({ world }: MessageScene, name: string): number => world.requests.filter(({ method, path }) => method !== 'GET' && path.endsWith(method === 'POST' ? '/configmaps' : `/configmaps/${name}`)).length;

describe.each(messageQueueKinds)('the history of a queue of %s', (kind) => {
  it('still knows messages when retention has deleted their Jobs', async () => {
    const scene = stage({ kind, spec: { ...soonGone, perMessage: { deadLetter: { queue: 'dead' } } }, pod: ({ id }) => ({ exit: { code: id === 'bad' ? 3 : 0 } }) });
    scene.queue.send({ id: 'good' });
    scene.queue.send({ id: 'bad' });
    expect(await scene.settled()).toBe(true);
    expect(await scene.world.runUntil(() => scene.truth.of('good')[0]?.gone === true, hour)).toBe(true);
    expect(entryOf(scene, 'good')).toMatchObject({ as: 'completed', reason: 'Completed', job: { name: scene.truth.of('good')[0]?.name, serial: 1, attempt: 1, outcome: 'succeeded' } });
    expect(entryOf(scene, 'bad')).toMatchObject({ as: 'dead', job: { outcome: 'failed', exitCode: 3 } });
    expect(entriesOf(scene)).toHaveLength(2);
  });

  it('knows messages that got no Job, and why', async () => {
    const scene = stage({ kind, spec: { perMessage: { deadLetter: { queue: 'dead' }, schema: { type: 'object', required: ['width'] } } }, invalid: () => true });
    scene.queue.send({ id: 'a', body: '{"height": 3}' });
    expect(await scene.world.runUntil(() => entriesOf(scene).length > 0, 5 * minute)).toBe(true);
    expect(entryOf(scene, 'a')).toMatchObject({ as: 'dead', reason: 'MessageInvalid', detail: expect.stringContaining('width') as string });
    expect(entryOf(scene, 'a')?.job).toBeUndefined();
  });

  it('loses no message that has a Job, however often the process is killed', async () => {
    const scene = stage({ kind, controller: 'none' });
    for (let number = 0; number < 6; number += 1) scene.queue.send({ id: `m${number}` });
    for (let life = 0; life < 12; life += 1) {
      // Killed as soon as one more is settled: nothing of that is written yet.
      const before = scene.truth.jobs.filter(({ settled }) => settled !== undefined).length;
      scene.start();
      await scene.world.runUntil(() => scene.truth.jobs.filter(({ settled }) => settled !== undefined).length > before, 2 * minute);
      scene.controller?.kill();
      await scene.world.run(2 * second);
    }
    scene.start();
    expect(await scene.settled(hour)).toBe(true);
    await scene.world.run(minute);
    expect(entriesOf(scene).map(({ id }) => id).toSorted()).toEqual(scene.queue.messages.map(({ message }) => message.id).toSorted());
  });
});

describe('the ConfigMap of a history', () => {
  it('is owned by the spec and goes with it, and is none of the ConfigMaps that users wrote', async () => {
    const scene = stage({ kind: 'amqp' });
    scene.queue.send({ id: 'a' });
    expect(await scene.settled()).toBe(true);
    await scene.world.run(minute);
    const [object] = objectsOf(scene);
    expect(object?.metadata.ownerReferences).toEqual([expect.objectContaining({ kind: 'ConfigMap', name: 'work', controller: true })]);
    expect(Object.keys(object?.metadata.labels ?? {})).not.toContain(kindLabel);
    scene.world.deleteConfigMap('work');
    await scene.world.run(minute);
    expect(objectsOf(scene)).toEqual([]);
  });

  it('follows the queue to another ConfigMap', async () => {
    const scene = stage({ kind: 'amqp' });
    scene.queue.send({ id: 'a' });
    expect(await scene.settled()).toBe(true);
    await scene.world.run(minute);
    const text = stringAt(objectAt(scene.world.configMap('work'), 'data'), specKey) ?? '';
    scene.world.applyConfigMap('renamed', JSON.stringify({ name: 'work', ...(JSON.parse(text) as object) }, undefined, 2));
    await scene.world.run(minute);
    scene.world.deleteConfigMap('work');
    await scene.world.run(minute);
    expect(entryOf(scene, 'a')?.as).toBe('completed');
  });

  it('is written once in ten seconds at most, and not at all when nothing happens', async () => {
    const scene = stage({ kind: 'amqp', spec: { concurrency: { max: 5 } }, pod: () => ({ runs: 3 * second }) });
    for (let number = 0; number < 100; number += 1) scene.queue.send({ id: `m${number}` });
    expect(await scene.world.runUntil(() => objectsOf(scene).length > 0, minute)).toBe(true);
    const [first] = objectsOf(scene);
    const began = scene.world.clock.now();
    expect(await scene.settled(hour)).toBe(true);
    await scene.world.run(minute);
    const writes = writesOf(scene, first?.metadata.name ?? '');
    expect(entriesOf(scene)).toHaveLength(100);
    expect(writes).toBeLessThanOrEqual(Math.ceil((scene.world.clock.now() - began) / (10 * second)) + 1);
    const asked = scene.world.requests.length;
    await scene.world.run(5 * minute);
    expect(scene.world.requests.slice(asked).filter(({ path }) => path.includes('-history'))).toEqual([]);
  });

  it('is not made where the right is missing, which is said once and holds up nothing', async () => {
    const scene = stage({ kind: 'sqs', allows: ({ verb, resource }) => !(resource === configMaps.plural && verb === 'create') });
    scene.queue.send({ id: 'a' });
    expect(await scene.settled()).toBe(true);
    scene.queue.send({ id: 'b' });
    expect(await scene.settled()).toBe(true);
    await scene.world.run(20 * minute);
    expect(objectsOf(scene)).toEqual([]);
    expect(scene.lines.filter(({ message }) => message.includes('history')).map(({ level }) => level)).toEqual(['info']);
    scene.world.cluster.allows = () => true;
    scene.queue.send({ id: 'c' });
    expect(await scene.settled()).toBe(true);
    await scene.world.run(minute);
    expect(entriesOf(scene).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  });

  it('is not made where it is switched off', async () => {
    const scene = stage({ kind: 'sqs', controller: { engine: { messageHistory: false } } });
    scene.queue.send({ id: 'a' });
    expect(await scene.settled()).toBe(true);
    await scene.world.run(minute);
    expect(objectsOf(scene)).toEqual([]);
  });

  it.each([1, 2, 3])('is shared by two controllers, which write it and merge (seed %i)', async (seed) => {
    const scene = stage({ kind: 'amqp', seed, spec: { concurrency: { max: 3 } }, pod: ({ random }) => ({ runs: random.between(1, 20) * second }) });
    scene.start({ lines: scene.lines });
    for (let number = 0; number < 30; number += 1) {
      scene.queue.send({ id: `m${number}` });
      await scene.world.run(second);
    }
    expect(await scene.settled(hour)).toBe(true);
    await scene.world.run(minute);
    expect(entriesOf(scene).map(({ id, as }) => `${id} ${as}`).toSorted()).toEqual(Array.from({ length: 30 }, (_, number) => `m${number} completed`).toSorted());
    const quiet = scene.world.requests.length;
    await scene.world.run(5 * minute);
    expect(scene.world.requests.slice(quiet).filter(({ path, method }) => method !== 'GET' && path.includes('-history'))).toEqual([]);
  });
});
