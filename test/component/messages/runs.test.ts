/** The way of a message that starts a run: from its queue through a record back to its queue. */
import { describe, expect, it } from 'vitest';
import { cancelAnnotation } from '../../../src/spec/keys.ts';
import { configMaps } from '../../../src/simulation/objects.ts';
import { useRunScenes, type RunScene } from '../../support/message-run-scene.ts';
import { messageQueueKinds } from '../../support/message-scene.ts';
import { hour, minute, second } from '../../support/scene.ts';

const stage = useRunScenes();

const typed = { parameters: { url: { type: 'string' }, width: { type: 'integer' } }, job: { image: 'registry.example/worker:1', args: ['$(params.url)', '$(params.width)'] } };
const handedOn = { parameters: { url: '$(message.body.url)', width: '$(message.body.width)' } };
const argsOf = ({ world }: RunScene): unknown => world.jobs().map(({ spec }) => spec.template.spec.containers[0]?.['args']);

describe.each(messageQueueKinds)('a message of %s', (kind) => {
  it('starts one run with its values, and is acknowledged when that succeeds', async () => {
    const scene = stage({ kind, spec: { perMessage: handedOn }, template: { ...typed, outputs: { bytes: { type: 'integer' } } }, pod: () => ({ exit: { code: 0, message: 'bytes=17' } }) });
    await scene.world.run(5 * second);
    scene.queue.send({ id: 'a', body: '{"url":"https://x/y","width":512}' });
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.story]).toEqual([['completed'], ['1 succeeded completed']]);
    expect(argsOf(scene)).toEqual([['https://x/y', '512']]);
    if (kind === 'pgBoss') expect(scene.queue.messages[0]).toMatchObject({ output: { bytes: 17 } });
  });

  it('whose run fails gets another one, and in the end goes where dead ones go', async () => {
    const scene = stage({ kind, spec: { perMessage: { retry: { attempts: 2, delay: '1s' }, deadLetter: { queue: 'dead' } } }, pod: () => ({ exit: { code: 3 } }) });
    scene.queue.send({ id: 'a', body: '{}' });
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.story, scene.dead.messages.length]).toEqual([['completed'], ['1 failed returned', '2 failed dead'], 1]);
  });

  it('whose run a person cancels is not tried again', async () => {
    const scene = stage({ kind, spec: { perMessage: { retry: { attempts: 3, delay: '1s' }, deadLetter: { queue: 'dead' } } }, template: { timeout: '2m' }, pod: () => ({ runs: 60 * second }) });
    scene.queue.send({ id: 'a', body: '{}' });
    await scene.world.runUntil(() => scene.runs.some(({ started }) => started), 5 * minute);
    const { name } = scene.runs[0] ?? { name: '' };
    scene.world.cluster.registry.update(configMaps, name, (object) => ({ ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [cancelAnnotation]: 'not needed' } } }));
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.story, scene.runs[0]?.reason, scene.dead.messages.length]).toEqual([['completed'], ['1 cancelled dead'], 'RunCancelled', 1]);
  });

  it('loses no attempt where nothing of its run could start', async () => {
    const scene = stage({ kind, spec: { perMessage: { waitAfter: { notStarted: '10s' } } }, pod: () => (scene.runs.length === 1 ? { image: { for: Infinity, reason: 'InvalidImageName' } } : {}), queue: { limit: 20 * minute, visibility: 30_000 } });
    scene.queue.send({ id: 'a', body: '{}' });
    expect(await scene.settled(2 * hour)).toBe(true);
    expect([scene.states, scene.story]).toEqual([['completed'], ['1 failed kept', '1 succeeded completed']]);
  });

  it('that does not fit the parameters is invalid, and holds up no other', async () => {
    const bodies: Readonly<Record<string, string>> = {
      type: '{"url":"https://x","width":"wide"}',
      missing: '{"url":"https://x"}',
      nul: '{"url":"a\\u0000b","width":1}',
      large: JSON.stringify({ url: 'x'.repeat(700_000), width: 1 }),
      proto: '{"url":{"__proto__":1},"width":1}',
      text: 'no JSON at all',
    };
    const scene = stage({ kind, spec: { perMessage: { ...handedOn, deadLetter: { queue: 'dead' } } }, template: typed, invalid: ({ message: { id } }) => id in bodies });
    await scene.world.run(5 * second);
    for (const [id, body] of Object.entries(bodies)) scene.queue.send({ id, body });
    scene.queue.send({ id: 'good', body: '{"url":"$(params.width) $(HOME)","width":7}' });
    expect(await scene.settled()).toBe(true);
    expect([scene.runs.map(({ id }) => id), scene.story, new Set(scene.states)]).toEqual([['good'], ['1 succeeded completed'], new Set(['completed'])]);
    expect(scene.dead.messages.map(({ message: { id } }) => id).sort()).toEqual(Object.keys(bodies).sort());
    expect(argsOf(scene)).toEqual([['$$(params.width) $$(HOME)', '7']]);
  });

  it('waits in its queue until its template is there, and takes what is asked of it', async () => {
    const scene = stage({ kind, spec: { perMessage: handedOn }, template: 'none' });
    scene.queue.send({ id: 'a', body: '{"url":"u","width":1}' });
    await scene.world.run(minute);
    expect([scene.states, scene.status()]).toMatchObject([['ready'], { state: 'Waiting', reason: 'TargetUnknown' }]);
    scene.applyTemplate({ parameters: { url: { type: 'string' } } });
    await scene.world.run(minute);
    expect([scene.states, scene.status()]).toMatchObject([['ready'], { state: 'Rejected', reason: 'ParametersRefused' }]);
    scene.applyTemplate({ ...typed, suspend: true });
    await scene.world.run(minute);
    expect([scene.states, scene.status()]).toMatchObject([['ready'], { state: 'Waiting', reason: 'SpecSuspended' }]);
    scene.applyTemplate(typed);
    expect(await scene.settled()).toBe(true);
    expect(scene.states).toEqual(['completed']);
  });

  it('is settled by its run, whatever becomes of the Queue and the template meanwhile', async () => {
    const scene = stage({ kind, pod: () => ({ runs: 60 * second }) });
    scene.queue.send({ id: 'a', body: '{}' });
    await scene.world.runUntil(() => scene.runs.some(({ started }) => started), 5 * minute);
    scene.world.deleteConfigMap('work');
    scene.world.deleteConfigMap('thumbnail');
    await scene.restart();
    // Nobody asks RabbitMQ for messages of a Queue that is gone, and it takes an acknowledgement from nobody else.
    const end = kind === 'amqp' ? ['ready', '1 succeeded presumed'] : ['completed', '1 succeeded completed'];
    expect(await scene.world.runUntil(() => scene.runs.every(({ settled }) => settled !== undefined), 26 * hour)).toBe(true);
    expect([scene.states[0], scene.story[0]]).toEqual(end);
  });

  it('is settled by the next process, where the one before died while its run went on', async () => {
    const scene = stage({ kind, pod: () => ({ runs: 40 * second }) });
    scene.queue.send({ id: 'a', body: '{}' });
    await scene.world.runUntil(() => scene.runs.some(({ started }) => started), 5 * minute);
    await scene.restart();
    expect(await scene.settled(26 * hour)).toBe(true);
    expect([scene.states, scene.story]).toEqual([['completed'], ['1 succeeded completed']]);
  });

  it('is acknowledged when its run is written down, where its spec says so', async () => {
    const scene = stage({ kind, spec: { perMessage: { settle: 'onJobCreated' } }, pod: () => ({ exit: { code: 1 } }) });
    scene.queue.send({ id: 'a', body: '{}' });
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.runs.map(({ settled }) => settled)]).toEqual([['completed'], ['taken']]);
  });

  it('is one of many, of which no more run at once than Queue and template both allow', async () => {
    const scene = stage({ kind, spec: { concurrency: { max: 5 } }, template: { concurrency: { max: 2 } }, pod: () => ({ runs: 5 * second }) });
    let most = 0;
    scene.world.cluster.store.subscribe(() => { most = Math.max(most, scene.runs.filter(({ outcome, gone }) => outcome === undefined && !gone).length); });
    for (let index = 0; index < 8; index += 1) scene.queue.send({ id: `m${index}`, body: '{}' });
    expect(await scene.settled(hour)).toBe(true);
    expect([most, scene.runs.length, new Set(scene.runs.map(({ id }) => id)).size]).toEqual([2, 8, 8]);
  });

  it('whose run somebody deletes gets another one, once nothing of the first is left', async () => {
    const scene = stage({ kind, pod: (attempt) => ({ runs: attempt === 1 ? 10 * minute : second }), template: { timeout: '15m' }, queue: { limit: hour } });
    scene.queue.send({ id: 'a', body: '{}' });
    await scene.world.runUntil(() => scene.runs.some(({ started }) => started), 5 * minute);
    scene.world.deleteConfigMap(scene.runs[0]?.name ?? '');
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.story]).toEqual([['completed'], ['1 open not settled gone', '2 succeeded completed']]);
  });

  it('keeps its run for as long as it may come again', async () => {
    const scene = stage({ kind, template: { retention: { succeeded: { count: 0 } } } });
    scene.queue.send({ id: 'a', body: '{}' });
    expect(await scene.settled()).toBe(true);
    await scene.world.run(8 * minute);
    expect(scene.runs.map(({ gone }) => gone)).toEqual([false]);
    await scene.world.run(5 * minute);
    expect(scene.runs.map(({ gone }) => gone)).toEqual([true]);
  });
});

describe('a Queue whose messages start runs', () => {
  it('takes none where records are off, and says so', async () => {
    const scene = stage({ kind: 'pgBoss', controller: { engine: { records: false } } });
    scene.queue.send({ id: 'a', body: '{}' });
    await scene.world.run(minute);
    expect([scene.states, scene.status()]).toMatchObject([['ready'], { state: 'Blocked', reason: 'RecordsOff' }]);
  });

  it('takes none whose run may take longer than they can be held', async () => {
    const scene = stage({ kind: 'pgBoss', queue: { limit: 5 * minute } });
    scene.queue.send({ id: 'a', body: '{}' });
    await scene.world.run(minute);
    expect([scene.states, scene.status()]).toMatchObject([['ready'], { state: 'Blocked', reason: 'LeaseTooShort' }]);
    expect(scene.status().message).toContain('a run of template "thumbnail" may take 7m: lower its timeouts');
  });
});

describe('two controllers at once', () => {
  it.each(messageQueueKinds)('start one run for a message of %s', async (kind) => {
    const scene = stage({ kind, pod: () => ({ runs: 5 * second }) });
    scene.start();
    for (const id of ['a', 'b', 'c', 'd']) scene.queue.send({ id, body: '{}' });
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.runs.length, new Set(scene.runs.map(({ id }) => id)).size]).toEqual([4, 4]);
  });
});

