import { describe, expect, it } from 'vitest';
import type { ApiRequest, ApiResponse } from '../../../src/adapters/kubernetes/transport.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { randomFaults } from '../../../src/simulation/fault-plans.ts';
import { FaultyTransport } from '../../../src/simulation/faults.ts';
import { configMaps, events, jobs } from '../../../src/simulation/objects.ts';
import { drainWorker } from '../../../src/simulation/worker.ts';
import { simulate, type Simulation } from '../../support/simulation.ts';

const path = '/apis/batch/v1/namespaces/default/jobs';
const job = (name: string, spec: JsonObject = {}): JsonObject => ({ metadata: { name }, spec: { backoffLimit: 1, ...spec, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] } } } });

async function answered(world: Simulation, request: ApiRequest): Promise<ApiResponse> {
  let answer: ApiResponse | undefined;
  void world.cluster.api.request(request).then((response) => { answer = response; });
  await world.runUntil(() => answer !== undefined);
  if (!answer) throw new Error('no answer');
  return answer;
}

/** An hour of work with crashes, evictions, faults and a process that watches and creates. */
async function anHour(seed: number): Promise<string[]> {
  const world = simulate({ seed });
  const queue = world.queue('q', { expiry: 60_000 });
  world.cluster.script = (_pod, random) => (random.chance(0.1) ? { runs: Infinity, evictedAfter: random.between(100, 9000) } : drainWorker(queue, { perMessage: 300, crashChance: 0.02 }));
  world.process(async ({ transport, clock, random }) => {
    const stream = await transport.stream({ method: 'GET', path, query: { watch: 'true', allowWatchBookmarks: 'true' } });
    let count = 0;
    const tick = (): void => {
      count += 1;
      queue.send(random.int(0, 20));
      transport.request({ method: 'POST', path, body: job(`job-${count}`, { parallelism: random.int(1, 3) }) }).catch(() => undefined);
      clock.timer(random.between(1000, 60_000), tick);
    };
    tick();
    for await (const line of stream.lines) if ((line as { type: string }).type === 'ADDED' && random.chance(0.3)) queue.send(1);
  }, { wrap: (transport, clock) => new FaultyTransport(transport, clock, randomFaults({ random: world.random.split('faults'), clock, rates: { refused: 0.1, answerLost: 0.1, slow: 0.1 } })) });
  await world.run(3_600_000);
  return world.trace;
}

describe('simulated cluster', () => {
  it('does the same in every run with the same seed, and something else with another', async () => {
    const [one, again, other] = [await anHour(5), await anHour(5), await anHour(6)];
    expect(one.length).toBeGreaterThan(1000);
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('hands out frozen objects: nobody can change what others see', async () => {
    const world = simulate();
    world.cluster.registry.create(jobs, job('one'));
    const { body } = await answered(world, { method: 'GET', path: `${path}/one` });
    expect(() => { (body as JsonObject)['kind'] = 'Other'; }).toThrow(TypeError);
  });

  it('leaves nothing running when everything has ended', async () => {
    const world = simulate();
    for (const name of ['a', 'b', 'c']) world.cluster.registry.create(jobs, job(name));
    await world.run(60_000);
    expect(world.unfinishedJobs()).toEqual([]);
    await world.run(4_000_000);
    expect([world.cluster.store.count(events), world.clock.pendingTimers]).toEqual([0, 0]);
  });

  it('refuses by RBAC in the words of a real server', async () => {
    const world = simulate({ allows: ({ verb, resource }) => !(verb === 'create' && resource === 'jobs') });
    const { status, body } = await answered(world, { method: 'POST', path, body: job('one') });
    expect([status, (body as JsonObject)['message']]).toEqual([403, 'jobs.batch is forbidden: User "system:serviceaccount:default:job-chief" cannot create resource "jobs" in API group "batch" in the namespace "default"']);
  });

  it('answers access reviews by the same rules', async () => {
    const world = simulate({ allows: ({ verb }) => verb !== 'delete' });
    const review = async (verb: string): Promise<unknown> => {
      const spec = { resourceAttributes: { namespace: 'default', verb, group: 'batch', resource: 'jobs' } };
      const { body } = await answered(world, { method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body: { spec } });
      return (body as { status: { allowed: boolean } }).status.allowed;
    };
    expect([await review('list'), await review('delete')]).toEqual([true, false]);
  });

  it('refuses what a policy refuses, in its words', async () => {
    const world = simulate({ refuse: ({ kind }) => (kind === 'Job' ? { code: 403, reason: 'Forbidden', message: 'admission webhook "policy" denied the request: no' } : undefined) });
    const { status, body } = await answered(world, { method: 'POST', path, body: job('one'), query: { dryRun: 'All' } });
    expect([status, (body as JsonObject)['message']]).toEqual([403, expect.stringContaining('denied the request')]);
  });

  it('knows one namespace only', async () => {
    const world = simulate();
    expect((await answered(world, { method: 'GET', path: '/apis/batch/v1/namespaces/other/jobs' })).status).toBe(403);
    expect((await answered(world, { method: 'GET', path: '/apis/batch/v1/namespaces/default/cronjobs' })).status).toBe(404);
  });

  it('keeps five minutes of history: a watch from before is told 410, one with bookmarks goes on', async () => {
    const world = simulate();
    const first = world.cluster.registry.create(configMaps, { metadata: { name: 'one' } });
    const types: string[][] = [];
    const follow = async (resourceVersion: string): Promise<void> => {
      const mine: string[] = [];
      types.push(mine);
      const stream = await world.cluster.api.stream({ method: 'GET', path: '/api/v1/namespaces/default/configmaps', query: { watch: 'true', allowWatchBookmarks: 'true', resourceVersion } });
      for await (const line of stream.lines) mine.push((line as { type: string }).type);
    };
    void follow(first.metadata.resourceVersion);
    await world.run(30_000);
    world.cluster.registry.create(jobs, job('noise'));
    await world.run(600_000);
    void follow(first.metadata.resourceVersion);
    world.applyConfigMap('one', 'kind: Queue');
    await world.run(1000);
    expect(types).toEqual([[...Array.from({ length: 10 }, () => 'BOOKMARK'), 'MODIFIED'], ['ERROR']]);
  });

  it('streams what is there first where that is asked for, and marks its end', async () => {
    const world = simulate();
    world.cluster.registry.create(configMaps, { metadata: { name: 'one' } });
    const lines: JsonObject[] = [];
    void (async () => {
      const stream = await world.cluster.api.stream({ method: 'GET', path: '/api/v1/namespaces/default/configmaps', query: { watch: 'true', allowWatchBookmarks: 'true', sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' } });
      for await (const line of stream.lines) lines.push(line as JsonObject);
    })();
    await world.run(1000);
    expect(lines).toMatchObject([{ type: 'ADDED' }, { type: 'BOOKMARK', object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } }]);
  });

  it('ends a foreground delete of a Job without pods at once', async () => {
    const world = simulate();
    world.cluster.registry.create(jobs, job('one', { suspend: true }));
    world.cluster.registry.delete(jobs, 'one', { propagation: 'Foreground' });
    await world.run(200);
    expect(world.jobs()).toEqual([]);
  });

  it('applies a spec as kubectl does: made first, changed then', () => {
    const world = simulate();
    const made = world.applyConfigMap('one', 'kind: Queue\n');
    const changed = world.applyConfigMap('one', 'kind: Queue\nname: other\n', { team: 'a' });
    expect(changed.metadata).toMatchObject({ uid: made.metadata.uid, labels: { 'job-chief': 'queue', team: 'a' } });
    expect(world.status('one')).toBeUndefined();
  });
});
