import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../../src/adapters/kubernetes/transport.ts';
import { type PlannedFault, plannedFaults, type PlannedWatchFault } from '../../src/simulation/fault-plans.ts';
import { FaultyTransport, type RequestFault, type WatchFault } from '../../src/simulation/faults.ts';
import { jobs } from '../../src/simulation/objects.ts';
import { hour, isJobCreate, isJobDryRun, isLiveJobList, isStatusWrite, isWatch, minute, second, type Scene, useScenes } from '../support/scene.ts';

const stage = useScenes();

const isGet = ({ method, path }: ApiRequest): boolean => method === 'GET' && path.includes('/jobs/');
const isList = (plural: string) => (request: ApiRequest): boolean => request.method === 'GET' && request.path.endsWith(`/${plural}`) && !isWatch(request);
const jobPatch = ({ method, path }: ApiRequest): boolean => method === 'PATCH' && path.includes('/jobs/');

function faulty(faults: readonly PlannedFault[], watches: readonly PlannedWatchFault[] = [], options = {}): { scene: Scene; transport: FaultyTransport } {
  const scene = stage({ controller: 'none', ...options });
  return { scene, transport: scene.startWith(plannedFaults(faults, watches)) };
}

describe('a request that goes wrong', () => {
  const faults: [string, RequestFault][] = [
    ['the connection is refused', { kind: 'refused' }],
    ['429 with Retry-After', { kind: 'status', code: 429, retryAfter: 2 }],
    ['429 without', { kind: 'status', code: 429 }],
    ['500', { kind: 'status', code: 500 }],
    ['503 with Retry-After', { kind: 'status', code: 503, retryAfter: 1 }],
    ['the answer is lost', { kind: 'answerLost' }],
    ['no answer ever comes', { kind: 'hangs' }],
    ['it takes ten seconds to arrive', { kind: 'slow', before: 10 * second, after: 0 }],
    ['its answer takes ten seconds', { kind: 'slow', before: 0, after: 10 * second }],
    ['it arrives after the client has given up', { kind: 'slow', before: 20 * second, after: 0 }],
  ];
  const requests: [string, (request: ApiRequest) => boolean][] = [
    ['create', isJobCreate],
    ['dry run', isJobDryRun],
    ['list before a create', isLiveJobList],
    ['patch of a Job', jobPatch],
    ['status write', isStatusWrite],
    ['first list of Jobs', isList('jobs')],
    ['first list of ConfigMaps', isList('configmaps')],
  ];

  it.each(requests.flatMap(([request, when]) => faults.flatMap(([fault, what]) => [1, 3].map((times) => ({ request, fault, when, what, times })))))('$request: $fault, $times times: one Job, all messages done once', async ({ when, what, times }) => {
    const { scene, transport } = faulty([{ when, fault: what, times }]);
    scene.queue.send(2);
    expect(await scene.world.runUntil(() => scene.allDone, 10 * minute)).toBe(true);
    await scene.world.run(minute);
    expect(transport.injected.length).toBeGreaterThan(0);
    expect(scene.births).toHaveLength(1);
    expect(scene.outcome()).toMatchObject({ phase: 'final', outcome: 'succeeded' });
    expect(scene.status()).toMatchObject({ state: 'Idle', lastRun: { outcome: 'succeeded' } });
    expect(scene.queue.messages.map(({ deliveries }) => deliveries)).toEqual([1, 1]);
  });

  it('a create and its look-up both go wrong: the name is looked up again before anything else', async () => {
    const { scene } = faulty([{ when: isJobCreate, fault: { kind: 'answerLost' } }, { when: isGet, fault: { kind: 'status', code: 500 }, times: 8 }], [{ when: ({ path }) => path.endsWith('/jobs'), fault: { kind: 'late', by: 30 * second } }]);
    scene.queue.send(1);
    expect(await scene.world.runUntil(() => scene.allDone, 10 * minute)).toBe(true);
    await scene.world.run(minute);
    expect(scene.births).toHaveLength(1);
  });

  it('the list before a create fails for minutes: nothing is created until it works', async () => {
    const { scene } = faulty([{ when: isLiveJobList, fault: { kind: 'status', code: 500 }, times: 12 }]);
    scene.queue.send(1);
    await scene.world.run(5 * second);
    expect(scene.requests(isJobCreate)).toEqual([]);
    expect(await scene.world.runUntil(() => scene.allDone, 20 * minute)).toBe(true);
    expect(scene.births).toHaveLength(1);
  });

  it('status patches that conflict are tried again, and nothing waits for them', async () => {
    const scene = stage();
    let conflicts = 0;
    // Somebody else writes the ConfigMap all the time.
    scene.world.onRequest((request) => {
      if (!isStatusWrite(request)) return;
      conflicts += 1;
      scene.world.cluster.registry.update({ plural: 'configmaps', kind: 'ConfigMap', group: '', version: 'v1' }, 'thumbnails', (object) => ({ ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, theirs: String(conflicts) } } }));
    });
    scene.queue.send(2);
    await scene.world.run(2 * minute);
    expect(scene.allDone).toBe(true);
    expect(scene.status()).toMatchObject({ state: 'Idle', lastRun: { outcome: 'succeeded' } });
    expect(conflicts).toBeLessThan(12);
  });
});

describe('a watch that goes wrong', () => {
  const faults: [string, WatchFault][] = [
    ['is refused', { kind: 'refused' }],
    ['is cut', { kind: 'cut', after: 3 * second }],
    ['falls silent', { kind: 'silent', after: 500 }],
    ['runs ten seconds late', { kind: 'late', by: 10 * second }],
    ['starts from a version that is gone (event)', { kind: 'expired', as: 'event' }],
    ['starts from a version that is gone (status)', { kind: 'expired', as: 'status' }],
    ['answers 429', { kind: 'status', code: 429, retryAfter: 1 }],
    ['answers 500', { kind: 'status', code: 500 }],
  ];

  it.each(['jobs', 'pods', 'configmaps'].flatMap((plural) => faults.flatMap(([fault, what]) => [1, 4].map((times) => ({ plural, fault, what, times })))))('of $plural $fault, $times times: everything comes to its end', async ({ plural, what, times }) => {
    const { scene } = faulty([], [{ when: ({ path }) => path.endsWith(`/${plural}`), fault: what, times }], { spec: { drain: { checkInterval: '1m' } }, worker: { perMessage: second } });
    for (let burst = 0; burst < 3; burst += 1) {
      scene.queue.send(2);
      await scene.world.run(15 * second);
    }
    expect(await scene.world.runUntil(() => scene.allDone, hour)).toBe(true);
    await scene.world.run(6 * minute);
    expect(scene.queue.messages.every(({ completions, deliveries }) => completions === 1 && deliveries === 1)).toBe(true);
    expect(scene.world.unfinishedJobs()).toEqual([]);
    expect(scene.status()).toMatchObject({ state: 'Idle', lastRun: { outcome: 'succeeded' }, liveJobs: 0 });
  });

  it('a history that was compacted away is listed anew', async () => {
    const scene = stage();
    scene.world.cluster.api.setAvailable(false);
    await scene.world.run(minute);
    scene.world.cluster.store.compact();
    scene.world.cluster.api.setAvailable(true);
    scene.queue.send(2);
    await scene.world.run(2 * minute);
    expect(scene.allDone).toBe(true);
  });
});

describe('the API server is down', () => {
  it.each([
    ['before the controller starts', 0],
    ['while it is idle', 30],
    ['while a Job runs', 65],
  ])('%s, for ten minutes: it goes on where it was, without a storm of requests', async (_name, after) => {
    const scene = stage({ worker: { perMessage: 30 * second } });
    if (after > 0) await scene.world.run(after * second);
    else scene.world.cluster.api.setAvailable(false);
    scene.queue.send(1);
    if (after > 60) await scene.world.run(5 * second);
    scene.world.cluster.api.setAvailable(false);
    const before = scene.world.requests.length;
    await scene.world.run(10 * minute);
    expect(scene.world.requests.length - before).toBeLessThan(400);
    scene.world.cluster.api.setAvailable(true);
    expect(await scene.world.runUntil(() => scene.allDone, 10 * minute)).toBe(true);
    await scene.world.run(2 * minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.status()).toMatchObject({ state: 'Idle', lastRun: { outcome: 'succeeded' } });
  });
});

describe('a full quota', () => {
  it('is reported once, asked about rarely, and over as soon as it is raised', async () => {
    const scene = stage();
    scene.world.cluster.quota.set('count/jobs.batch', 0);
    scene.queue.send(3);
    await scene.world.run(hour);
    expect(scene.births).toEqual([]);
    expect(scene.status()).toMatchObject({ state: 'Blocked', reason: 'QuotaExceeded' });
    expect(scene.status().message).toContain('exceeded quota');
    expect(scene.world.events().filter((text) => text.includes('QuotaExceeded'))).toHaveLength(1);
    const creates = scene.requests(isJobCreate).length;
    expect(creates).toBeGreaterThan(5);
    expect(creates).toBeLessThan(25);
    expect(scene.requests(isStatusWrite).length).toBeLessThan(10);
    scene.world.cluster.quota.clear();
    expect(await scene.world.runUntil(() => scene.allDone, 6 * minute)).toBe(true);
    expect(scene.births).toHaveLength(1);
  });

  it('that the last create filled itself hides no Job: the name is looked up', async () => {
    const { scene } = faulty([{ when: isJobCreate, fault: { kind: 'answerLost' } }], [{ when: ({ path }) => path.endsWith('/jobs'), fault: { kind: 'late', by: 20 * second } }]);
    scene.world.cluster.quota.set('count/jobs.batch', 1);
    scene.queue.send(1);
    expect(await scene.world.runUntil(() => scene.allDone, 10 * minute)).toBe(true);
    await scene.world.run(minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.outcome()).toMatchObject({ outcome: 'succeeded' });
    expect(scene.status()).toMatchObject({ state: 'Idle' });
  });

  it('of pods leaves the Job waiting, and says so', async () => {
    const scene = stage();
    scene.world.cluster.quota.set('pods', 0);
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.status()).toMatchObject({ state: 'Starting', reason: 'NoPodCreated' });
    expect(scene.status().message).toContain('exceeded quota');
    scene.world.cluster.quota.clear();
    expect(await scene.world.runUntil(() => scene.allDone, 5 * minute)).toBe(true);
    expect(scene.births).toHaveLength(1);
  });
});

describe('a missing right', () => {
  it('to create Jobs blocks the queue, says so, and is noticed when it is granted', async () => {
    const scene = stage({ allows: ({ verb, resource }) => !(verb === 'create' && resource === 'jobs') });
    scene.queue.send(1);
    await scene.world.run(hour);
    expect(scene.births).toEqual([]);
    expect(scene.status()).toMatchObject({ state: 'Blocked', reason: 'Forbidden' });
    expect(scene.status().message).toContain('cannot create resource "jobs"');
    expect(scene.world.requests.filter((request) => !isWatch(request)).length).toBeLessThan(60);
    scene.world.cluster.allows = () => true;
    expect(await scene.world.runUntil(() => scene.allDone, 6 * minute)).toBe(true);
  });

  it.each(['jobs', 'pods', 'configmaps'])('to list %s: nothing is started, and it goes on when it is granted', async (plural) => {
    const scene = stage({ allows: ({ verb, resource }) => !(resource === plural && (verb === 'list' || verb === 'watch')) });
    scene.queue.send(1);
    await scene.world.run(30 * minute);
    expect(scene.births).toEqual([]);
    expect(scene.world.requests.length).toBeLessThan(200);
    scene.world.cluster.allows = () => true;
    expect(await scene.world.runUntil(() => scene.allDone, 6 * minute)).toBe(true);
    expect(scene.births).toHaveLength(1);
  });

  it('to list Jobs that is taken away while it runs: nothing is started', async () => {
    const scene = stage();
    await scene.world.run(minute);
    scene.world.cluster.allows = ({ verb, resource }) => !(resource === 'jobs' && verb === 'list');
    scene.queue.send(1);
    await scene.world.run(10 * minute);
    expect(scene.births).toEqual([]);
    expect(scene.status()).toMatchObject({ state: 'Blocked', reason: 'Forbidden' });
    scene.world.cluster.allows = () => true;
    expect(await scene.world.runUntil(() => scene.allDone, 6 * minute)).toBe(true);
  });

  it('to patch ConfigMaps: no status, everything else works, and it is asked for rarely', async () => {
    const scene = stage({ allows: ({ verb, resource }) => !(verb === 'patch' && resource === 'configmaps') });
    for (let message = 0; message < 10; message += 1) {
      scene.queue.send(1);
      await scene.world.run(2 * minute);
    }
    expect(scene.allDone).toBe(true);
    expect(scene.world.status('thumbnails')).toBeUndefined();
    expect(scene.requests(isStatusWrite).length).toBeLessThanOrEqual(5);
    scene.world.cluster.allows = () => true;
    scene.queue.send(1);
    await scene.world.run(11 * minute);
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.status()).toMatchObject({ state: 'Idle', lastRun: { outcome: 'succeeded' } });
  });
});

describe('a template that the API server refuses', () => {
  const denial = { code: 403, reason: 'Forbidden', message: 'admission webhook "policy.example" denied the request: images must come from registry.example.org' };

  it.each([
    ['a validation error', { code: 422, reason: 'Invalid', message: 'Job.batch "x" is invalid: spec.template.spec.containers[0].resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit' }, 'must be less than or equal to memory limit'],
    ['a webhook\'s denial', denial, 'images must come from registry.example.org'],
    ['a webhook\'s denial with a code of its own', { ...denial, code: 500, reason: 'InternalError' }, 'images must come from registry.example.org'],
  ])('%s: Rejected with its words, asked again rarely, and accepted when the cluster changes its mind', async (_name, refusal, words) => {
    const scene = stage({ refuse: (resource) => (resource === jobs ? refusal : undefined) });
    scene.queue.send(1);
    await scene.world.run(30 * minute);
    expect(scene.births).toEqual([]);
    expect(scene.status()).toMatchObject({ state: 'Rejected', reason: 'TemplateRefused' });
    expect(scene.status().message).toContain(words);
    expect(scene.status().conditions).toContainEqual(expect.objectContaining({ type: 'Accepted', status: 'False' }));
    expect(scene.requests(isJobDryRun).length).toBeLessThan(15);
    expect(scene.requests(isJobCreate)).toEqual([]);
    scene.world.cluster.refuse = () => undefined;
    expect(await scene.world.runUntil(() => scene.allDone, 6 * minute)).toBe(true);
  });

  it('an edit heals it at once', async () => {
    const scene = stage({ refuse: (resource, object) => (resource === jobs && JSON.stringify(object).includes('worker:1') ? denial : undefined) });
    scene.queue.send(1);
    await scene.world.run(20 * minute);
    expect(scene.status().state).toBe('Rejected');
    scene.apply({ job: { image: 'registry.example.org/worker:2' } });
    await scene.world.run(5 * second);
    expect(scene.births).toHaveLength(1);
    expect(scene.status().conditions).toContainEqual(expect.objectContaining({ type: 'Accepted', status: 'True' }));
  });

  it('a policy that comes later refuses the create itself, and is waited out', async () => {
    const scene = stage();
    await scene.world.run(minute);
    scene.world.cluster.refuse = (resource) => (resource === jobs ? denial : undefined);
    scene.queue.send(1);
    await scene.world.run(30 * minute);
    expect(scene.status()).toMatchObject({ state: 'Blocked', reason: 'CreateRefused' });
    expect(scene.status().message).toContain('images must come from registry.example.org');
    expect(scene.requests(isJobCreate).length).toBeLessThan(15);
    scene.world.cluster.refuse = () => undefined;
    expect(await scene.world.runUntil(() => scene.allDone, 6 * minute)).toBe(true);
  });
});
