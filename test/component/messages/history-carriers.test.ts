/** The history of messages that started runs, and of those that came in batches; as the command line tells it. */
import { expect, it } from 'vitest';
import { showStatus } from '../../../src/cli/status.ts';
import { isObject, type JsonObject } from '../../../src/lib/json.ts';
import { useBatchScenes } from '../../support/batch-scene.ts';
import { CommandLine } from '../../support/command-line.ts';
import { useRunScenes } from '../../support/message-run-scene.ts';
import { hour, minute } from '../../support/scene.ts';
import type { Simulation } from '../../support/simulation.ts';

const stageRuns = useRunScenes();
const stageBatches = useBatchScenes();

async function messagesIn(world: Simulation): Promise<JsonObject[]> {
  const line = new CommandLine(world);
  await line.call((session) => showStatus(session, { name: 'work', output: 'json', watch: false, messages: 'newest' }));
  const document: unknown = JSON.parse(line.printed().join('\n'));
  return isObject(document) && Array.isArray(document['messages']) ? document['messages'].filter(isObject) : [];
}

it('a message that started a run is known by the run, and by the history when retention has deleted its record', async () => {
  const scene = stageRuns({ kind: 'amqp', template: { retention: { succeeded: { count: 0 } } } });
  scene.queue.send({ id: 'a', body: '{}' });
  expect(await scene.settled()).toBe(true);
  await scene.world.run(20_000);
  const shown = { id: 'a', state: 'completed', run: scene.runs[0]?.name, serial: 1, attempt: 1, outcome: 'succeeded' };
  expect(await messagesIn(scene.world)).toMatchObject([{ ...shown, from: 'job' }]);
  expect(await scene.world.runUntil(() => scene.runs[0]?.gone === true, 3 * hour)).toBe(true);
  await scene.world.run(minute);
  expect(await messagesIn(scene.world)).toMatchObject([{ ...shown, from: 'history' }]);
});

it('messages of a batch are known by their indexes, and by the history when retention has deleted its Job', async () => {
  const scene = stageBatches({ kind: 'sqs', batch: { size: 3 }, spec: { retention: { succeeded: { count: 0 } } } });
  scene.send('a', 'b', 'c');
  expect(await scene.settled()).toBe(true);
  await scene.world.run(20_000);
  const [job] = scene.world.jobs();
  const shown = (await messagesIn(scene.world)).toSorted((left, right) => Number(left['index']) - Number(right['index']));
  expect(shown).toMatchObject([0, 1, 2].map((index) => ({ state: 'completed', from: 'job', job: job?.metadata.name, index, outcome: 'succeeded' })));
  expect(await scene.world.runUntil(() => scene.world.jobs().length === 0, 3 * hour)).toBe(true);
  await scene.world.run(minute);
  const later = await messagesIn(scene.world);
  expect(later.map(({ id, state, from, job: name }) => [id, state, from, name]).toSorted()).toEqual(shown.map(({ id }) => [id, 'completed', 'history', job?.metadata.name]).toSorted());
});
