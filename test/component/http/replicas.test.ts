/** The API of a replica that stands by: it answers as the one that leads. */
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine.ts';
import { highAvailability, startController } from '../../support/controller.ts';
import { overEngine } from '../../support/http-scene.ts';
import { applyLimits } from '../../support/limits.ts';
import { step, useWorkflows } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

it('accepts runs that the one that leads takes up, tells how they get on, and changes them', async () => {
  const scene = stage({ spec: { trigger: { onRequest: true }, concurrency: { max: 5 }, steps: [step('load')] }, pods: { load: { runs: 30_000 } }, controller: 'none' });
  scene.start({ engine: { highAvailability, identity: 'first' } });
  await scene.world.run(20_000);
  let engine: Engine | undefined;
  const process = startController(scene.world, { engine: { highAvailability, identity: 'second' }, made: (made) => { engine = made; } });
  await scene.world.run(20_000);
  if (!engine) throw new Error('the second controller did not start');
  const api = await overEngine(scene.world, { engine, process });
  expect((await api.get('/api/v1/specs/workflow/etl')).json).toMatchObject({ state: 'Idle', valid: true });
  const { json } = await api.post('/api/v1/runs', { workflow: 'etl' });
  const other = await api.post('/api/v1/runs', { workflow: 'etl' });
  const stream = api.stream(`/api/v1/runs/${json['name'] as string}/events`);
  await api.post(`/api/v1/runs/${other.json['name'] as string}/cancel`);
  await scene.finished(600_000, 2);
  await api.pass(5_000);
  expect((await api.get(`/api/v1/runs/${json['name'] as string}`)).json).toMatchObject({ phase: 'Succeeded', steps: [{ state: 'Succeeded' }] });
  expect((await api.get(`/api/v1/runs/${other.json['name'] as string}`)).json).toMatchObject({ phase: 'Cancelled' });
  expect(stream.events.map(({ event }) => event)).toEqual(expect.arrayContaining(['snapshot', 'step', 'run', 'end']));
});

it('knows why a run does not start, without having started any itself', async () => {
  const spec = { trigger: { onRequest: true }, concurrency: { max: 2 }, steps: [step('load')] };
  const scene = stage({ spec, pods: { load: { runs: 30_000 } }, controller: 'none' });
  applyLimits(scene.world, { startRate: '1/1h' });
  scene.start({ engine: { highAvailability, identity: 'first' } });
  await scene.world.run(20_000);
  let engine: Engine | undefined;
  const process = startController(scene.world, { engine: { highAvailability, identity: 'second' }, made: (made) => { engine = made; } });
  await scene.world.run(20_000);
  if (!engine) throw new Error('the second controller did not start');
  const api = await overEngine(scene.world, { engine, process });
  const ask = async (): Promise<unknown> => {
    const { json } = await api.post('/api/v1/runs', { workflow: 'etl' });
    await scene.world.run(5_000);
    return json['waits'];
  };
  expect(await ask()).toBeNull();
  expect(await ask()).toMatchObject({ reason: 'StartRateReached' });
  expect(await ask()).toMatchObject({ reason: 'RunQueued', message: '2 of 2 runs have begun and are not over' });
  expect(await ask()).toMatchObject({ reason: 'RunQueued', message: '2 of 2 runs have begun and are not over; 1 waits before it' });
  applyLimits(scene.world, { maxJobs: 0 });
  scene.apply({ ...spec, concurrency: { max: 10 } });
  await scene.world.run(5_000);
  expect(await ask()).toMatchObject({ reason: 'LimitReached' });
});
