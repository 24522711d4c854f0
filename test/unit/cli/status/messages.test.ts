import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exitCode } from '../../../../src/cli/exit-code.ts';
import { showStatus, type StatusOptions } from '../../../../src/cli/status.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { historyName } from '../../../../src/plan/messages/history-name.ts';
import { configMaps } from '../../../../src/simulation/objects.ts';
import { CommandLine } from '../../../support/command-line.ts';
import { type MessageScene, useMessageScenes } from '../../../support/message-scene.ts';
import { hour, minute, second } from '../../../support/scene.ts';
import { queueSpec } from '../../../support/controller.ts';

const stage = useMessageScenes();
const options = { name: 'work', output: 'text', watch: false } as const;

async function shown(scene: MessageScene, more: Partial<StatusOptions>): Promise<string[]> {
  const line = new CommandLine(scene.world);
  expect(await line.call((session) => showStatus(session, { ...options, ...more }))).toBe(exitCode.ok);
  return line.printed();
}
const complaint = (scene: MessageScene, more: Partial<StatusOptions>): Promise<string> => new CommandLine(scene.world).complaint((session) => showStatus(session, { ...options, ...more }));
const columns = (line = ''): string[] => line.split(/ {2,}/);

/** A message that needs two attempts, and one that came after it. */
async function twoMessages(): Promise<MessageScene> {
  const scene = stage({ kind: 'pgBoss', spec: { perMessage: { retry: { attempts: 2 } }, retention: { succeeded: { count: 0 }, failed: { count: 0 } }, breaker: { notStarted: 'off' } }, pod: ({ id, attempt }) => ({ runs: 2 * second, exit: { code: id === 'a' && attempt === 1 ? 3 : 0 } }) });
  scene.queue.send({ id: 'a' });
  expect(await scene.settled()).toBe(true);
  await scene.world.run(20 * second);
  scene.queue.send({ id: 'b' });
  expect(await scene.settled()).toBe(true);
  await scene.world.run(20 * second);
  return scene;
}

describe('status QUEUE --message ID', () => {
  it('shows each Job of the message while it is there', async () => {
    const scene = await twoMessages();
    const [head, ...rows] = await shown(scene, { messages: { id: 'a' } });
    expect(columns(head)).toEqual(['MESSAGE', 'STATE', 'ATTEMPT', 'JOB', 'FROM', 'OUTCOME', 'REASON', 'AGE', 'RAN', 'DETAIL']);
    expect(rows.map((row) => columns(row).slice(0, 7))).toEqual([
      ['a', 'completed', '2', scene.truth.jobs[1]?.name, 'job', 'succeeded', 'Completed'],
      ['a', 'returned', '1', scene.truth.jobs[0]?.name, 'job', 'failed', 'exit 3'],
    ]);
  });

  it('still knows the last one when retention has deleted them', async () => {
    const scene = await twoMessages();
    expect(await scene.world.runUntil(() => scene.world.jobs().length === 0, hour)).toBe(true);
    const [, row, ...others] = await shown(scene, { messages: { id: 'a' } });
    expect([columns(row).slice(0, 7), others]).toEqual([['a', 'completed', '2', scene.truth.jobs[1]?.name, 'history', 'succeeded', 'Completed'], []]);
  });

  it('tells all of it to programs, and more columns to those who ask for them', async () => {
    const scene = await twoMessages();
    const json = JSON.parse((await shown(scene, { messages: { id: 'b' }, output: 'json' })).join('\n')) as JsonObject;
    expect(json).toEqual({
      queue: 'work', message: 'b', historySince: expect.stringMatching(/Z$/) as string,
      messages: [expect.objectContaining({ id: 'b', state: 'completed', from: 'job', source: { type: 'pgBoss', connection: 'main', queue: 'work' }, job: scene.truth.jobs[2]?.name, serial: 1, attempt: 1, outcome: 'succeeded', reason: 'Completed', settledAt: expect.stringMatching(/Z$/) as string })],
    });
    expect(parse((await shown(scene, { messages: { id: 'b' }, output: 'yaml' })).join('\n'))).toEqual(json);
    expect((await shown(scene, { messages: { id: 'b' }, output: 'wide' }))[0]).toMatch(/ENQUEUED +LEASED +STARTED +FINISHED +SETTLED +QUEUE/);
  });

  it('shows a message under way', async () => {
    const scene = stage({ kind: 'sqs', pod: () => ({ runs: hour }) });
    scene.queue.send({ id: 'a' });
    await scene.world.run(minute);
    expect(columns((await shown(scene, { messages: { id: 'a' } }))[1]).slice(0, 2)).toEqual(['a', 'running']);
  });

  it('says that nothing is known of a message, and how far back anything is', async () => {
    const scene = await twoMessages();
    expect(await complaint(scene, { messages: { id: 'c' } })).toMatch(/^nothing is known of message "c" of queue "work": no Job is there for it, and the history, which goes back to \d{4}-.*Z, does not have it$/);
  });

  it('says so where there is no history, or none that can be read', async () => {
    const scene = stage({ kind: 'sqs', controller: { engine: { messageHistory: false } } });
    await scene.world.run(minute);
    expect(await complaint(scene, { messages: { id: 'c' } })).toContain('and the queue has no history: nothing was settled yet, or none is kept');
    scene.world.cluster.registry.create(configMaps, { metadata: { name: historyName('default', { kind: 'queue', name: 'work' }), labels: { 'job-chief-record': 'history', 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'default', 'job-chief/kind': 'queue', 'job-chief/name': 'work' } }, data: {} });
    expect(await complaint(scene, { messages: { id: 'c' } })).toContain('and nobody can read what its history says');
    scene.world.cluster.allows = ({ verb, resource }) => !(verb === 'get' && resource === 'configmaps');
    expect(await complaint(scene, { messages: { id: 'c' } })).toMatch(/and the history cannot be read: .*cannot get resource "configmaps"/);
  });

  it('knows nothing of a queue that is not there, and of what is none', async () => {
    const scene = await twoMessages();
    expect(await complaint(scene, { name: 'wrk', messages: { id: 'a' } })).toBe('there is no queue "wrk" in namespace jobs; did you mean "work"?'.replace('jobs', scene.world.cluster.namespace));
    expect(await complaint(scene, { name: 'workflow/work', messages: { id: 'a' } })).toBe('messages are of queues: queue/work, not workflow/work');
    expect(await complaint(scene, { name: undefined, messages: { id: 'a' } })).toContain('of which queue?');
  });

  it('finds the message of a Queue whose spec is gone, as long as something of it is left', async () => {
    const scene = stage({ kind: 'sqs', spec: { onSpecDelete: 'finish' } });
    scene.queue.send({ id: 'a' });
    expect(await scene.settled()).toBe(true);
    scene.world.deleteConfigMap('work');
    await scene.world.run(minute);
    expect(columns((await shown(scene, { name: 'queue/work', messages: { id: 'a' } }))[1]).slice(0, 2)).toEqual(['a', 'completed']);
  });
});

describe('status QUEUE --messages', () => {
  it('shows the last Job of each message, the newest first, and how many more there are', async () => {
    const scene = await twoMessages();
    const all = await shown(scene, { messages: 'newest' });
    expect(all.slice(1, -1).map((row) => columns(row).slice(0, 3))).toEqual([['b', 'completed', '1'], ['a', 'completed', '2']]);
    expect(all.at(-1)).toMatch(/^the history goes back to .*Z$/);
    const one = await shown(scene, { messages: 'newest', limit: 1 });
    expect([columns(one[1])[0], one[2]]).toEqual(['b', '… and 1 more: --limit shows more of them']);
  });

  it('knows messages that never had a Job', async () => {
    const scene = stage({ kind: 'amqp', spec: { perMessage: { deadLetter: { queue: 'dead' }, schema: { type: 'object', required: ['width'] } } }, invalid: () => true });
    scene.queue.send({ id: 'a', body: '{}' });
    await scene.world.run(minute);
    const [, row] = await shown(scene, { messages: 'newest' });
    expect([...columns(row).slice(0, 7), row]).toEqual(['a', 'dead', '-', '-', 'history', '-', 'MessageInvalid', expect.stringContaining('width') as string]);
  });

  it('shows nothing of a queue that has settled nothing, and says why', async () => {
    const scene = stage({ kind: 'amqp' });
    scene.world.applyConfigMap('drained', queueSpec('drained'));
    await scene.world.run(minute);
    expect(await shown(scene, { messages: 'newest' })).toEqual(['no messages of queue "work" are known; the queue has no history: nothing was settled yet, or none is kept']);
    expect(await shown(scene, { name: 'drained', messages: 'newest' })).toHaveLength(1);
  });
});
