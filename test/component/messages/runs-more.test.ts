/** What goes wrong while messages start runs, one thing at a time: outages, and edits of what the messages run. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { jobs } from '../../../src/simulation/objects.ts';
import { messageAnnotation } from '../../../src/spec/keys.ts';
import { useRunScenes, type RunScene } from '../../support/message-run-scene.ts';
import { messageQueueKinds } from '../../support/message-scene.ts';
import { hour, minute, second } from '../../support/scene.ts';

const stage = useRunScenes();

const argsOf = ({ world }: RunScene): unknown => world.jobs().map(({ spec }) => spec.template.spec.containers[0]?.['args']);
const workflow: JsonObject = { kind: 'Workflow', trigger: { onRequest: true }, job: undefined, startTimeout: undefined, timeout: undefined };
const step = (name: string, fields: JsonObject = {}): JsonObject => ({ name, startTimeout: '1m', timeout: '2m', job: { image: `registry.example/${name}:1` }, ...fields });
const fits: JsonObject = { parameters: { width: { type: 'integer' } }, job: { image: 'registry.example/worker:1', args: ['$(params.width)'] } };
const handedOn: JsonObject = { parameters: { width: '$(message.body.width)' } };

async function started(scene: RunScene, count = 1): Promise<void> {
  expect(await scene.world.runUntil(() => scene.runs.filter((run) => run.started).length === count, 10 * minute)).toBe(true);
}

describe.each(messageQueueKinds)('with messages of %s', (kind) => {
  it('an API server that is away for minutes costs no message and no second run', async () => {
    const scene = stage({ kind, spec: { concurrency: { max: 2 } }, pod: () => ({ runs: 30 * second }), queue: { limit: hour } });
    for (let index = 0; index < 5; index += 1) scene.queue.send({ id: `m${index}`, body: '{}' });
    await started(scene, 2);
    scene.world.cluster.api.setAvailable(false);
    await scene.world.run(4 * minute);
    scene.world.cluster.api.setAvailable(true);
    expect(await scene.settled(2 * hour)).toBe(true);
    expect([new Set(scene.states), scene.story, new Set(scene.runs.map(({ id }) => id)).size, scene.atEnd()]).toEqual([new Set(['completed']), Array.from({ length: 5 }, () => '1 succeeded completed'), 5, []]);
  });

  it('an API server that goes away as messages come loses none', async () => {
    const scene = stage({ kind, queue: { limit: hour } });
    await scene.world.run(10 * second);
    scene.world.cluster.api.setAvailable(false);
    for (let index = 0; index < 3; index += 1) scene.queue.send({ id: `m${index}`, body: '{}' });
    await scene.world.run(3 * minute);
    expect(scene.runs).toEqual([]);
    scene.world.cluster.api.setAvailable(true);
    expect(await scene.settled(2 * hour)).toBe(true);
    expect([new Set(scene.states), scene.runs.map(({ id }) => id).sort(), scene.atEnd()]).toEqual([new Set(['completed']), ['m0', 'm1', 'm2'], []]);
  });

  it('a run that waits for its turn starts with the template as it is then', async () => {
    const scene = stage({ kind, spec: { perMessage: handedOn }, template: fits, pod: () => ({ runs: 30 * second }) });
    await scene.world.run(5 * second);
    let edited = false;
    scene.world.cluster.store.subscribe(() => {
      if (edited || scene.runs.length === 0) return;
      edited = true;
      scene.applyTemplate({ ...fits, job: { image: 'registry.example/worker:2', args: ['new', '$(params.width)'] } });
    });
    scene.queue.send({ id: 'a', body: '{"width":3}' });
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.story, argsOf(scene)]).toEqual([['completed'], ['1 succeeded completed'], [['new', '3']]]);
  });

  it('a template that takes other parameters by the time of the start ends the run, and its message is not lost', async () => {
    const scene = stage({ kind, spec: { perMessage: { ...handedOn, retry: { attempts: 1 }, deadLetter: { queue: 'dead' } } }, template: fits });
    await scene.world.run(5 * second);
    let edited = false;
    scene.world.cluster.store.subscribe(() => {
      if (edited || scene.runs.length === 0) return;
      edited = true;
      scene.applyTemplate({ ...fits, parameters: { height: { type: 'integer' } }, job: { image: 'registry.example/worker:1', args: ['$(params.height)'] } });
    });
    scene.queue.send({ id: 'a', body: '{"width":3}' });
    await scene.world.run(5 * minute);
    expect([scene.states, scene.story, scene.runs[0]?.started, scene.dead.messages.length, scene.status().reason]).toEqual([['completed'], ['1 failed dead'], false, 1, 'ParametersRefused']);
  });

  it('a template that is deleted while messages wait keeps them in their queue until it is back', async () => {
    const scene = stage({ kind, spec: { concurrency: { max: 1 } }, pod: () => ({ runs: 20 * second }) });
    for (const id of ['a', 'b']) scene.queue.send({ id, body: '{}' });
    await started(scene);
    scene.world.deleteConfigMap('thumbnail');
    await scene.world.run(5 * minute);
    expect([scene.story, scene.status(), scene.states.toSorted()]).toMatchObject([['1 succeeded completed'], { state: 'Waiting', reason: 'TargetUnknown' }, ['completed', 'ready']]);
    scene.applyTemplate();
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.story]).toEqual([['completed', 'completed'], ['1 succeeded completed', '1 succeeded completed']]);
  });

  it('a workflow whose steps all succeed acknowledges, with its outputs', async () => {
    const steps = [step('load', { outputs: { rows: { type: 'integer' } } }), step('check', { dependsOn: ['load'] })];
    const scene = stage({ kind, spec: { template: undefined, workflow: 'thumbnail' }, template: { ...workflow, steps, outputs: { total: '$(steps.load.outputs.rows)' } }, pod: (_, { metadata }) => ({ exit: { code: 0, ...(metadata.name.includes('load') && { message: 'rows=17' }) } }) });
    scene.queue.send({ id: 'a', body: '{}' });
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.story, scene.world.jobs().length]).toEqual([['completed'], ['1 succeeded completed'], 2]);
    if (kind === 'pgBoss') expect(scene.queue.messages[0]).toMatchObject({ output: { total: 17 } });
  });

  it('a workflow of which one step fails has failed, and the message gets another run', async () => {
    const scene = stage({ kind, spec: { template: undefined, workflow: 'thumbnail', perMessage: { retry: { attempts: 2, delay: '1s' }, deadLetter: { queue: 'dead' } } }, template: { ...workflow, steps: [step('load'), step('check', { dependsOn: ['load'] })] }, pod: (attempt, { metadata }) => ({ exit: { code: attempt === 1 && metadata.name.includes('check') ? 1 : 0 } }) });
    scene.queue.send({ id: 'a', body: '{}' });
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.story, scene.dead.messages]).toEqual([['completed'], ['1 failed returned', '2 succeeded completed'], []]);
  });

  it('a workflow of which one step ran and the next could not start has failed: what ran counts', async () => {
    const scene = stage({ kind, spec: { template: undefined, workflow: 'thumbnail', perMessage: { retry: { attempts: 2, delay: '1s' }, deadLetter: { queue: 'dead' } } }, template: { ...workflow, steps: [step('load'), step('check', { dependsOn: ['load'] })] }, pod: (_, { metadata }) => (metadata.name.includes('check') ? { image: { for: Infinity, reason: 'InvalidImageName' } } : {}) });
    scene.queue.send({ id: 'a', body: '{}' });
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.story, scene.dead.messages.length]).toEqual([['completed'], ['1 failed returned', '2 failed dead'], 1]);
  });

  it('a template whose Job the API server refuses leaves messages in their queue, until it takes it', async () => {
    const scene = stage({ kind, refuse: (resource) => (resource === jobs ? { code: 422, reason: 'Invalid', message: 'Job.batch is invalid: no such volume' } : undefined) });
    for (const id of ['a', 'b']) scene.queue.send({ id, body: '{}' });
    await scene.world.run(minute);
    expect([scene.states, scene.runs, scene.status()]).toMatchObject([['ready', 'ready'], [], { state: 'Waiting', reason: 'TemplateRefused', message: 'waits for template "thumbnail": no such volume' }]);
    scene.world.cluster.refuse = () => undefined;
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.story]).toEqual([['completed', 'completed'], ['1 succeeded completed', '1 succeeded completed']]);
  });

  it('a record that is too large for the cluster makes its message invalid, and holds up no other', async () => {
        const scene = stage({ kind, spec: { perMessage: { parameters: { word: '$(message.body.word)' }, deadLetter: { queue: 'dead' } } }, template: { parameters: { word: { type: 'string' } } }, invalid: ({ message: { id } }) => id === 'big',
      refuse: (resource, object) => (resource.plural === 'configmaps' && object.metadata.annotations?.[messageAnnotation]?.includes('big') === true ? { code: 422, reason: 'Invalid', message: 'ConfigMap "x" is invalid: []: Too long: may not be more than 1048576 bytes' } : undefined) });
    await scene.world.run(5 * second);
    scene.queue.send({ id: 'big', body: '{"word":"large"}' });
    scene.queue.send({ id: 'small', body: '{"word":"little"}' });
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.runs.map(({ id }) => id), scene.dead.messages.map(({ message }) => message.id)]).toEqual([['completed', 'completed'], ['small'], ['big']]);
  });
});
