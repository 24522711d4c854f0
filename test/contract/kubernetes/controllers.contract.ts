/** Measured facts about the Job controller and the garbage collector that job-chief relies on. */
import { describe, expect, it } from 'vitest';
import { arrayAt, type Json, type JsonObject, numberAt, objectAt, stringAt } from '../../../src/lib/json.ts';
import { Api, type Bench, conditions, hasCondition, jobManifest, nameOf, onNode, owner, uidOf, versionOf } from './subject.ts';

type Case = (api: Api) => Promise<void>;
type Holds = (name: string, test: Case) => void;

export function controllersContract(bench: () => Bench): void {
  let cases = 0;
  const holds = (name: string, test: Case): void => {
    cases += 1;
    const suffix = `c${cases}`;
    it(name, () => bench().run((subject) => test(new Api(subject, suffix))));
  };
  describe('a Job ends', () => { endingCases(holds); });
  describe('a Job is steered', () => { steeringCases(holds); });
  describe('deletion and ownership', () => { ownershipCases(holds); });
}

const reasonOf = (job: JsonObject, type: string): string | undefined =>
  stringAt(arrayAt(objectAt(job, 'status'), 'conditions').find((condition) => stringAt(condition, 'type') === type), 'reason');

const indexOf = (pod: JsonObject): string => stringAt(objectAt(objectAt(pod, 'metadata'), 'annotations'), 'batch.kubernetes.io/job-completion-index') ?? '';

/** Milliseconds since 1970, in whole seconds as Kubernetes writes them. */
const createdAt = (pod: Json | undefined): number => Date.parse(stringAt(objectAt(pod, 'metadata'), 'creationTimestamp') ?? '');

const finishedAt = (pod: Json | undefined): number => {
  const [only] = arrayAt(objectAt(pod, 'status'), 'containerStatuses');
  return Date.parse(stringAt(objectAt(objectAt(only, 'state'), 'terminated'), 'finishedAt') ?? '');
};

function withoutBackoffLimit(job: JsonObject): JsonObject {
  const { backoffLimit: _none, ...spec } = objectAt(job, 'spec');
  return { ...job, spec };
}

/** Names of the env variables of all containers, init containers first. */
const envNames = (pod: JsonObject | undefined): string[][] =>
  ['initContainers', 'containers'].flatMap((list) => arrayAt(objectAt(pod, 'spec'), list).map((container) => arrayAt(container, 'env').map((entry) => stringAt(entry, 'name') ?? '')));

/** Condition types in the order in which a watch showed them. */
async function conditionOrder(api: Api, base: string, body: JsonObject, act: () => Promise<void>): Promise<string[]> {
  const job = await api.created('jobs', body);
  const watch = await api.watch('jobs', { resourceVersion: versionOf(job) });
  await act();
  await api.until('the end', async () => {
    const { body: current } = await api.get('jobs', api.name(base));
    return hasCondition(current, 'Complete') || hasCondition(current, 'Failed') ? true : undefined;
  });
  await api.until('the end in the watch', () => Promise.resolve(watch.lines.some(({ object }) => hasCondition(object, 'Complete') || hasCondition(object, 'Failed')) ? true : undefined));
  watch.stop();
  return [...new Set(watch.lines.flatMap(({ object }) => conditions(object)))];
}

function endingCases(holds: Holds): void {
  holds('well: SuccessCriteriaMet is seen before Complete', async (api) => {
    const order = await conditionOrder(api, 'one', jobManifest(api, 'one'), async () => {
      for (const pod of await api.somePods(1)) await api.endPod(pod, 0);
    });
    expect(order).toEqual(['SuccessCriteriaMet', 'Complete']);
    const { body } = await api.get('jobs', api.name('one'));
    expect(numberAt(objectAt(body, 'status'), 'succeeded')).toBe(1);
    expect(stringAt(objectAt(body, 'status'), 'completionTime')).toBeDefined();
  });

  holds('badly with backoffLimit 0: FailureTarget is seen before Failed', async (api) => {
    const order = await conditionOrder(api, 'one', jobManifest(api, 'one'), async () => {
      for (const pod of await api.somePods(1)) await api.endPod(pod, 3);
    });
    expect(order).toEqual(['FailureTarget', 'Failed']);
    const { body } = await api.get('jobs', api.name('one'));
    expect(reasonOf(body as JsonObject, 'Failed')).toBe('BackoffLimitExceeded');
    expect(objectAt(body, 'status')['completionTime']).toBeUndefined();
  });

  holds('as a work queue when one pod succeeded and none is left, and makes no pod after the first success', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', { parallelism: 2, backoffLimit: 6 }));
    const [first, second] = await api.somePods(2);
    if (first) await api.endPod(first, 0);
    await api.pass(3000);
    expect(conditions((await api.get('jobs', api.name('one'))).body)).toEqual([]);
    expect(await api.pods()).toHaveLength(2);
    if (second) await api.endPod(second, 1);
    const job = await api.condition(api.name('one'), 'Complete');
    expect([numberAt(objectAt(job, 'status'), 'succeeded'), numberAt(objectAt(job, 'status'), 'failed')]).toEqual([1, 1]);
    expect(await api.pods()).toHaveLength(2);
  });

  holds('by a podFailurePolicy that names the exit code', async (api) => {
    const podFailurePolicy = { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] };
    await api.created('jobs', jobManifest(api, 'one', { backoffLimit: 6, podFailurePolicy }));
    for (const pod of await api.somePods(1)) await api.endPod(pod, 42);
    expect(reasonOf(await api.condition(api.name('one'), 'Failed'), 'Failed')).toBe('PodFailurePolicy');
  });

  holds('by its deadline: announced at once, Failed only when the pod is gone', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', {}, onNode));
    const [pod] = await api.somePods(1);
    await api.patch('jobs', api.name('one'), { spec: { activeDeadlineSeconds: 1 } });
    await api.condition(api.name('one'), 'FailureTarget');
    await api.pass(3000);
    expect(hasCondition((await api.get('jobs', api.name('one'))).body, 'Failed')).toBe(false);
    expect(stringAt(objectAt((await api.pods())[0], 'metadata'), 'deletionTimestamp')).toBeDefined();
    if (pod) await api.removePod(pod);
    expect(reasonOf(await api.condition(api.name('one'), 'Failed'), 'Failed')).toBe('DeadlineExceeded');
  });

  holds('and goes at once with a TTL of 0', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', { ttlSecondsAfterFinished: 0 }));
    for (const pod of await api.somePods(1)) await api.endPod(pod, 0);
    await api.gone('jobs', api.name('one'));
    await api.until('no pods', async () => ((await api.pods()).length === 0 ? true : undefined));
  });

  holds('not by a pod that was disrupted where the policy ignores that: another takes its place', async (api) => {
    const podFailurePolicy = { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] };
    await api.created('jobs', jobManifest(api, 'one', { podFailurePolicy }));
    const [first] = await api.somePods(1);
    const before = api.subject.clock.monotonic();
    if (first) await api.endPod(first, 137, { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', lastTransitionTime: '2026-01-01T00:00:00Z' }] });
    await api.somePods(2);
    expect(api.subject.clock.monotonic() - before).toBeGreaterThan(5000);
    const { body } = await api.get('jobs', api.name('one'));
    expect([conditions(body), objectAt(body, 'status')['failed'], objectAt(body, 'spec')['podReplacementPolicy']]).toEqual([[], undefined, 'Failed']);
  });

  holds('badly when somebody deletes its pod', async (api) => {
    await api.created('jobs', jobManifest(api, 'one'));
    for (const pod of await api.somePods(1)) await api.delete('pods', nameOf(pod));
    const job = await api.condition(api.name('one'), 'Failed');
    expect([reasonOf(job, 'Failed'), objectAt(job, 'status')['failed']]).toEqual(['BackoffLimitExceeded', 1]);
  });

  holds('when an index has used up its own back-off limit and the others are done', async (api) => {
    await api.created('jobs', { ...jobManifest(api, 'one', { completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 0, backoffLimit: 9 }) });
    const [first, second] = await api.somePods(2);
    if (first) await api.endPod(first, 1);
    await api.pass(2500);
    expect(conditions((await api.get('jobs', api.name('one'))).body)).toEqual([]);
    if (second) await api.endPod(second, 0);
    const job = await api.condition(api.name('one'), 'Failed');
    expect([reasonOf(job, 'Failed'), numberAt(objectAt(job, 'status'), 'succeeded'), objectAt(job, 'status')['failedIndexes']]).toEqual(['FailedIndexes', 1, expect.stringMatching(/^[01]$/u)]);
  });

  holds('well when an index fails, and succeeds within its own limit', async (api) => {
    await api.created('jobs', withoutBackoffLimit(jobManifest(api, 'one', { completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1 })));
    const [first, second] = await api.somePods(2);
    expect(objectAt((await api.get('jobs', api.name('one'))).body, 'spec')['backoffLimit']).toBe(2_147_483_647);
    if (second) await api.endPod(second, 0);
    if (first) await api.endPod(first, 1);
    const again = await api.until('a pod in its place', async () => (await api.pods()).find((pod) => indexOf(pod) === indexOf(first ?? {}) && nameOf(pod) !== nameOf(first ?? {})));
    await api.endPod(again, 0);
    const status = objectAt(await api.condition(api.name('one'), 'Complete'), 'status');
    expect([status['completedIndexes'], status['failed'], status['failedIndexes'] ?? '']).toEqual(['0,1', 1, '']);
  });

  holds('well as soon as its successPolicy is met, and what still runs is stopped', async (api) => {
    const successPolicy = { rules: [{ succeededIndexes: '1-2', succeededCount: 1 }] };
    await api.created('jobs', jobManifest(api, 'one', { completionMode: 'Indexed', completions: 3, parallelism: 3, successPolicy }));
    const all = await api.somePods(3);
    for (const pod of all) if (indexOf(pod) === '0') await api.endPod(pod, 0);
    await api.until('one counted', async () => (objectAt((await api.get('jobs', api.name('one'))).body, 'status')['completedIndexes'] === '0' ? true : undefined));
    expect(conditions((await api.get('jobs', api.name('one'))).body)).toEqual([]);
    for (const pod of all) if (indexOf(pod) === '2') await api.endPod(pod, 0);
    const job = await api.condition(api.name('one'), 'Complete');
    expect([reasonOf(job, 'SuccessCriteriaMet'), reasonOf(job, 'Complete'), objectAt(job, 'status')['completedIndexes'], numberAt(objectAt(job, 'status'), 'succeeded')]).toEqual(['SuccessPolicy', 'SuccessPolicy', '0,2', 2]);
    expect((await api.pods()).map(indexOf).toSorted()).toEqual(['0', '2']);
  });

  holds('not at all where another controller manages it', async (api) => {
    await api.created('jobs', jobManifest(api, 'other', { managedBy: 'example.com/other' }));
    await api.created('jobs', jobManifest(api, 'own', { managedBy: 'kubernetes.io/job-controller' }));
    const [pod] = await api.somePods(1);
    await api.pass(2000);
    expect((await api.pods()).map(nameOf)).toEqual([nameOf(pod ?? {})]);
    expect([nameOf(pod ?? {}).startsWith(api.name('own')), objectAt((await api.get('jobs', api.name('other'))).body, 'status')]).toEqual([true, {}]);
  });

  holds('index by index', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', { completionMode: 'Indexed', completions: 3, parallelism: 3 }));
    const all = await api.somePods(3);
    expect(all.map(indexOf).toSorted()).toEqual(['0', '1', '2']);
    for (const pod of all) if (indexOf(pod) !== '1') await api.endPod(pod, 0);
    await api.until('two done', async () => (objectAt((await api.get('jobs', api.name('one'))).body, 'status')['completedIndexes'] === '0,2' ? true : undefined));
    for (const pod of all) if (indexOf(pod) === '1') await api.endPod(pod, 0);
    expect(objectAt(await api.condition(api.name('one'), 'Complete'), 'status')['completedIndexes']).toBe('0-2');
  });
}

function steeringCases(holds: Holds): void {
  holds('the pods of an Indexed Job know their index, in init containers too, once', async (api) => {
    const own = [{ name: 'JOB_COMPLETION_INDEX', value: '7' }];
    const containers = [{ name: 'main', image: 'work' }, { name: 'own', image: 'work', env: own }];
    await api.created('jobs', jobManifest(api, 'one', { completionMode: 'Indexed', completions: 1 }, { initContainers: [{ name: 'init', image: 'work' }], containers }));
    const [pod] = await api.somePods(1);
    expect(envNames(pod)).toEqual([['JOB_COMPLETION_INDEX'], ['JOB_COMPLETION_INDEX'], ['JOB_COMPLETION_INDEX']]);
    expect(arrayAt(objectAt({ own: arrayAt(objectAt(pod, 'spec'), 'containers')[1] }, 'own'), 'env')).toEqual(own);
  });

  holds('limits for each index and success policies need indexes', async (api) => {
    for (const spec of [{ backoffLimitPerIndex: 1 }, { successPolicy: { rules: [{ succeededCount: 1 }] } }] as JsonObject[]) {
      expect((await api.post('jobs', jobManifest(api, 'one', spec))).status).toBe(422);
    }
  });

  holds('its pods carry its labels, its UID and its owner reference', async (api) => {
    const job = await api.created('jobs', jobManifest(api, 'one'));
    const [pod] = await api.somePods(1);
    const metadata = objectAt(pod, 'metadata');
    expect(metadata['labels']).toMatchObject({ ...api.mark, 'job-name': nameOf(job), 'batch.kubernetes.io/job-name': nameOf(job), 'controller-uid': uidOf(job), 'batch.kubernetes.io/controller-uid': uidOf(job) });
    expect(metadata['ownerReferences']).toEqual([{ apiVersion: 'batch/v1', kind: 'Job', name: nameOf(job), uid: uidOf(job), controller: true, blockOwnerDeletion: true }]);
  });

  holds('suspended from the start it has no start time and no pods; resumed it has both', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', { suspend: true }));
    const job = await api.condition(api.name('one'), 'Suspended');
    expect([objectAt(job, 'status')['startTime'], await api.pods()]).toEqual([undefined, []]);
    await api.patch('jobs', api.name('one'), { spec: { suspend: false } });
    await api.somePods(1);
    const resumed = await api.until('a start time', async () => stringAt(objectAt((await api.get('jobs', api.name('one'))).body, 'status'), 'startTime'));
    expect(resumed).toBeDefined();
  });

  holds('suspended while a pod waits, it loses the pod and no verdict is made', async (api) => {
    await api.created('jobs', jobManifest(api, 'one'));
    await api.somePods(1);
    await api.patch('jobs', api.name('one'), { spec: { suspend: true } });
    await api.until('no pods', async () => ((await api.pods()).length === 0 ? true : undefined));
    await api.condition(api.name('one'), 'Suspended');
    await api.pass(2500);
    const { body } = await api.get('jobs', api.name('one'));
    expect([conditions(body), objectAt(body, 'status')['failed']]).toEqual([['Suspended'], undefined]);
  });

  holds('suspended it has no deadline; resumed with parallelism 0 it fails without a pod', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', { suspend: true }));
    await api.patch('jobs', api.name('one'), { spec: { activeDeadlineSeconds: 1 } });
    await api.pass(3000);
    expect(conditions((await api.get('jobs', api.name('one'))).body)).toEqual(['Suspended']);
    await api.patch('jobs', api.name('one'), { spec: { suspend: false, parallelism: 0 } });
    expect(reasonOf(await api.condition(api.name('one'), 'Failed'), 'Failed')).toBe('DeadlineExceeded');
    expect(await api.pods()).toEqual([]);
  });

  holds('a raised parallelism makes pods, a lowered one takes them away', async (api) => {
    await api.created('jobs', { ...jobManifest(api, 'one', { parallelism: 1 }) });
    await api.somePods(1);
    await api.patch('jobs', api.name('one'), { spec: { parallelism: 3 } });
    await api.somePods(3);
    await api.patch('jobs', api.name('one'), { spec: { parallelism: 1 } });
    await api.somePods(1);
    await api.pass(2500);
    expect(conditions((await api.get('jobs', api.name('one'))).body)).toEqual([]);
  });

  holds('a failed pod is replaced after ten seconds, not before', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', { backoffLimit: 3 }));
    for (const pod of await api.somePods(1)) await api.endPod(pod, 1);
    const [failed, next] = (await api.somePods(2)).toSorted((left, right) => createdAt(left) - createdAt(right));
    expect(createdAt(next) - finishedAt(failed)).toBeGreaterThanOrEqual(10_000);
  });
}

function ownershipCases(holds: Holds): void {
  const owned = async (api: Api, pod: JsonObject = {}): Promise<JsonObject> => {
    const configMap = await api.created('configmaps', { metadata: { name: api.name('spec') } });
    const manifest = jobManifest(api, 'one', {}, pod);
    await api.created('jobs', { ...manifest, metadata: { name: api.name('one'), ownerReferences: [owner(configMap)] } });
    await api.somePods(1);
    return configMap;
  };

  holds('a Job goes with its owner, and its running pod lingers', async (api) => {
    const configMap = await owned(api, onNode);
    await api.delete('configmaps', nameOf(configMap));
    await api.gone('jobs', api.name('one'));
    const [pod] = await api.pods();
    expect(pod).toBeDefined();
    if (pod) await api.removePod(pod);
  });

  holds('a Job that got another owner survives the old one and goes with the new one', async (api) => {
    const old = await owned(api);
    const next = await api.created('configmaps', { metadata: { name: api.name('next') } });
    expect((await api.patch('jobs', api.name('one'), { metadata: { ownerReferences: [owner(next)] } })).status).toBe(200);
    await api.delete('configmaps', nameOf(old));
    await api.pass(3000);
    expect((await api.get('jobs', api.name('one'))).status).toBe(200);
    await api.delete('configmaps', nameOf(next));
    await api.gone('jobs', api.name('one'));
  });

  holds('all that a ConfigMap owns goes with it, down to the pods: other ConfigMaps, their Jobs', async (api) => {
    const top = await api.created('configmaps', { metadata: { name: api.name('top') } });
    const files = await api.created('configmaps', { metadata: { name: api.name('files'), ownerReferences: [owner(top)] }, immutable: true });
    const sub = await api.created('configmaps', { metadata: { name: api.name('sub'), ownerReferences: [owner(top)] } });
    await api.created('jobs', { ...jobManifest(api, 'one'), metadata: { name: api.name('one'), ownerReferences: [owner(sub)] } });
    await api.somePods(1);
    await api.delete('configmaps', nameOf(top), { propagationPolicy: 'Background', preconditions: { uid: uidOf(top), resourceVersion: versionOf(top) } });
    await Promise.all([api.gone('configmaps', nameOf(files)), api.gone('configmaps', nameOf(sub)), api.gone('jobs', api.name('one'))]);
    await api.until('no pods', async () => ((await api.pods()).length === 0 ? true : undefined));
  });

  holds('a Job whose owner has another UID is collected', async (api) => {
    const configMap = await api.created('configmaps', { metadata: { name: api.name('spec') } });
    const manifest = jobManifest(api, 'one');
    await api.created('jobs', { ...manifest, metadata: { name: api.name('one'), ownerReferences: [owner(configMap, '00000000-0000-4000-a000-000000000000')] } });
    await api.gone('jobs', api.name('one'));
  });

  // The collector looks at both at once. Where it sees the ConfigMap gone first it deletes the Job in the background.
  holds('a foreground prune of the ConfigMap does not wait for the Job, and mostly the Job waits for its pod', async (api) => {
    const configMap = await owned(api, onNode);
    await api.delete('configmaps', nameOf(configMap), { propagationPolicy: 'Foreground' });
    await api.gone('configmaps', nameOf(configMap));
    await api.until('the Job is deleted', async () => {
      const { status, body } = await api.get('jobs', api.name('one'));
      return status === 404 || stringAt(objectAt(body, 'metadata'), 'deletionTimestamp') !== undefined ? true : undefined;
    });
    const left = await api.somePods(1);
    for (const pod of left) await api.removePod(pod);
    await api.gone('jobs', api.name('one'));
  });

  holds('a foreground delete keeps the name taken until the pod is gone', async (api) => {
    const manifest = jobManifest(api, 'one', {}, onNode);
    await api.created('jobs', manifest);
    await api.somePods(1);
    await api.delete('jobs', api.name('one'), { propagationPolicy: 'Foreground' });
    await api.pass(1000);
    for (const query of [{}, { dryRun: 'All' }] as Record<string, string>[]) {
      const answer = await api.post('jobs', manifest, query);
      expect([answer.status, stringAt(answer.body, 'reason'), stringAt(answer.body, 'message')]).toEqual([409, 'AlreadyExists', expect.stringContaining('object is being deleted')]);
    }
    for (const pod of await api.pods()) await api.removePod(pod);
    await api.gone('jobs', api.name('one'));
  });

  holds('after a background delete the name is free at once, while the old pod still lives', async (api) => {
    const manifest = jobManifest(api, 'one', {}, onNode);
    const job = await api.created('jobs', manifest);
    await api.somePods(1);
    await api.delete('jobs', api.name('one'), { propagationPolicy: 'Background' });
    expect(uidOf(await api.created('jobs', manifest))).not.toBe(uidOf(job));
    const pods = await api.somePods(2);
    for (const pod of pods) await api.removePod(pod);
  });

  holds('a Job that is deleted without saying how leaves its pods behind', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', {}, onNode));
    await api.somePods(1);
    await api.delete('jobs', api.name('one'));
    await api.gone('jobs', api.name('one'));
    await api.pass(1000);
    const [pod] = await api.pods();
    expect(objectAt(pod, 'metadata')['deletionTimestamp']).toBeUndefined();
    expect(objectAt(pod, 'metadata')['ownerReferences'] ?? []).toEqual([]);
    if (pod) await api.removePod(pod);
  });
}
