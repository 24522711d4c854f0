/** Measured facts about the API server that job-chief relies on, for any implementation of Transport. */
import { describe, expect, it } from 'vitest';
import { arrayAt, isObject, type JsonObject, objectAt, stringAt } from '../../../src/lib/json.ts';
import { Api, type Bench, jobManifest, nameOf, uidOf, versionOf, type WatchLine } from './subject.ts';

type Case = (api: Api) => Promise<void>;

/** `forgetful`: the server keeps no history before its first version. A real one does so only after its five minutes. */
export function apiServerContract(bench: () => Bench, { forgetful }: { forgetful: boolean }): void {
  let cases = 0;
  const holds = (name: string, test: Case): void => {
    cases += 1;
    const suffix = `a${cases}`;
    it(name, () => bench().run((subject) => test(new Api(subject, suffix))));
  };
  describe('names', () => { nameCases(holds); });
  describe('requests that are refused', () => { refusalCases(holds); });
  describe('patches', () => { patchCases(holds); });
  describe('deletes', () => { deleteCases(holds); });
  describe('lists', () => { listCases(holds); });
  describe('watches', () => {
    watchCases(holds);
    if (forgetful) expiryCase(holds);
  });
}

const asMetadata = (list: 'List' | ''): string => `application/json;as=PartialObjectMetadata${list};g=meta.k8s.io;v=v1`;

type Holds = (name: string, test: Case) => void;

const messageOf = (body: unknown): string => stringAt(body, 'message') ?? '';

function nameCases(holds: Holds): void {
  holds('a second create of a name answers 409 AlreadyExists', async (api) => {
    await api.created('configmaps', { metadata: { name: api.name('one') } });
    const again = await api.post('configmaps', { metadata: { name: api.name('one') } });
    expect([again.status, stringAt(again.body, 'reason')]).toEqual([409, 'AlreadyExists']);
    expect(messageOf(again.body)).toBe(`configmaps "${api.name('one')}" already exists`);
  });

  holds('a full quota answers 403 before it is seen that the name exists, for Jobs and Secrets', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', { suspend: true }));
    await api.created('secrets', { metadata: { name: api.name('one') } });
    await api.subject.setQuota({ 'count/jobs.batch': '1', 'count/secrets': '1' });
    for (const [plural, type, body] of [['jobs', 'jobs.batch', jobManifest(api, 'one')], ['secrets', 'secrets', { metadata: { name: api.name('one') } }]] as const) {
      const answer = await api.post(plural, body);
      const text = `${type} "${api.name('one')}" is forbidden: exceeded quota: quota, requested: count/${type}=1, used: count/${type}=1, limited: count/${type}=1`;
      expect([answer.status, messageOf(answer.body)]).toEqual([403, text]);
    }
    await api.subject.setQuota(undefined);
  });

  holds('a dry run counts the quota, and creates nothing', async (api) => {
    const dryRun = { dryRun: 'All' };
    expect((await api.post('jobs', jobManifest(api, 'one', { suspend: true }), dryRun)).status).toBe(201);
    expect((await api.get('jobs', api.name('one'))).status).toBe(404);
    await api.subject.setQuota({ 'count/jobs.batch': '0' });
    expect((await api.post('jobs', jobManifest(api, 'one'), dryRun)).status).toBe(403);
    await api.subject.setQuota(undefined);
  });

  holds('generateName appends five characters', async (api) => {
    const made = await api.created('configmaps', { metadata: { generateName: 'made-' } });
    expect(nameOf(made)).toMatch(/^made-[a-z0-9]{5}$/u);
  });

  const indexed = (completions: number): JsonObject => ({ completionMode: 'Indexed', completions, parallelism: 0 });
  const limits: [string, JsonObject, number][] = [
    ['a Job name may have 63 characters', {}, 63],
    ['with 10 indexes it may have 61', indexed(10), 61],
    ['with 100 indexes it may have 60', indexed(100), 60],
    ['with 1,000 indexes it may have 59', indexed(1000), 59],
    ['with 100,000 indexes it may have 57', indexed(100_000), 57],
  ];
  for (const [sentence, spec, limit] of limits) {
    holds(`${sentence}, and not one more`, async (api) => {
      const named = (length: number): JsonObject => ({ ...jobManifest(api, 'x', spec), metadata: { name: 'n'.repeat(length) } });
      expect((await api.post('jobs', named(limit), { dryRun: 'All' })).status).toBe(201);
      expect((await api.post('jobs', named(limit + 1), { dryRun: 'All' })).status).toBe(422);
    });
  }
}

function refusalCases(holds: Holds): void {
  const strict = { fieldValidation: 'Strict', dryRun: 'All' };

  holds('strict field validation answers 400 and names every unknown field', async (api) => {
    const body = jobManifest(api, 'one', { paralelism: 2 }, { containers: [{ name: 'main', image: 'work', comand: ['x'] }] });
    const answer = await api.post('jobs', body, strict);
    expect(answer.status).toBe(400);
    expect(messageOf(answer.body)).toContain('unknown field "spec.paralelism"');
    expect(messageOf(answer.body)).toContain('unknown field "spec.template.spec.containers[0].comand"');
  });

  holds('a number as env value answers 400', async (api) => {
    const answer = await api.post('jobs', jobManifest(api, 'one', {}, { containers: [{ name: 'main', image: 'work', env: [{ name: 'A', value: 1 }] }] }), { dryRun: 'All' });
    expect([answer.status, messageOf(answer.body)]).toEqual([400, expect.stringContaining('cannot unmarshal number')]);
  });

  holds('a text as parallelism answers 400', async (api) => {
    const answer = await api.post('jobs', jobManifest(api, 'one', { parallelism: '2' }), { dryRun: 'All' });
    expect([answer.status, messageOf(answer.body)]).toEqual([400, expect.stringContaining('cannot unmarshal string')]);
  });

  const wrong: [string, string, (api: Api) => JsonObject][] = [
    ['restartPolicy Always', 'jobs', (api) => jobManifest(api, 'one', {}, { restartPolicy: 'Always' })],
    ['a container without an image', 'jobs', (api) => jobManifest(api, 'one', {}, { containers: [{ name: 'main' }] })],
    ['a negative parallelism', 'jobs', (api) => jobManifest(api, 'one', { parallelism: -1 })],
    ['a name with capitals', 'configmaps', () => ({ metadata: { name: 'Capital' } })],
    ['a label value of 64 characters', 'configmaps', (api) => ({ metadata: { name: api.name('one'), labels: { long: 'x'.repeat(64) } } })],
    ['a data key with a slash', 'configmaps', (api) => ({ metadata: { name: api.name('one') }, data: { 'a/b': '' } })],
    ['one data key as text and as bytes', 'configmaps', (api) => ({ metadata: { name: api.name('one') }, data: { key: 'x' }, binaryData: { key: 'eA==' } })],
    ['more than 1 MiB of text and bytes together', 'configmaps', (api) => ({ metadata: { name: api.name('one') }, data: { one: 'x' }, binaryData: { big: Buffer.alloc(1_048_576).toString('base64') } })],
    ['more than 1 MiB of data', 'configmaps', (api) => ({ metadata: { name: api.name('one') }, data: { big: 'x'.repeat(1_048_577) } })],
    ['more than 262,144 bytes of annotations', 'configmaps', (api) => ({ metadata: { name: api.name('one'), annotations: { big: 'x'.repeat(262_144) } } })],
  ];
  for (const [what, plural, manifest] of wrong) {
    holds(`${what} answers 422`, async (api) => {
      const answer = await api.post(plural, manifest(api), { dryRun: 'All' });
      expect([answer.status, stringAt(answer.body, 'reason')]).toEqual([422, 'Invalid']);
    });
  }
}

function patchCases(holds: Holds): void {
  holds('bytes count as they are, not as base64: 1 MiB of them is taken, and an immutable ConfigMap of them is', async (api) => {
    const binaryData = { big: Buffer.alloc(1_048_576).toString('base64') };
    await api.created('configmaps', { metadata: { name: api.name('one') }, binaryData, immutable: true });
    const answers = await Promise.all([{ binaryData: { big: 'eA==' } }, { data: { more: 'x' } }, { immutable: false }].map((patch) => api.patch('configmaps', api.name('one'), patch)));
    expect(answers.map(({ status }) => status)).toEqual([422, 422, 422]);
  });

  holds('null in a merge patch takes a data key away, with its map where it was the last, and is nothing where there is none', async (api) => {
    await api.created('configmaps', { metadata: { name: api.name('one') }, data: { a: 'b' } });
    const swapped = await api.patch('configmaps', api.name('one'), { data: { a: null, never: null }, binaryData: { packed: 'eA==' } });
    expect([swapped.status, isObject(swapped.body) && swapped.body['data'], objectAt(swapped.body, 'binaryData')]).toEqual([200, undefined, { packed: 'eA==' }]);
    const back = await api.patch('configmaps', api.name('one'), { data: { a: 'c' }, binaryData: { packed: null } });
    expect([back.status, objectAt(back.body, 'data'), isObject(back.body) && back.body['binaryData']]).toEqual([200, { a: 'c' }, undefined]);
    const same = await api.patch('configmaps', api.name('one'), { binaryData: { packed: null } });
    expect([same.status, versionOf(same.body)]).toEqual([200, versionOf(back.body)]);
  });

  holds('a patch with UID and resourceVersion is taken once', async (api) => {
    const made = await api.created('configmaps', { metadata: { name: api.name('one') } });
    const patch = { metadata: { uid: uidOf(made), resourceVersion: versionOf(made), labels: { a: 'b' } }, data: { key: 'value' } };
    const once = await api.patch('configmaps', api.name('one'), patch);
    const twice = await api.patch('configmaps', api.name('one'), patch);
    expect([once.status, twice.status, stringAt(twice.body, 'reason')]).toEqual([200, 409, 'Conflict']);
  });

  holds('a patch meant for an object that was deleted and made anew answers 409 or 422', async (api) => {
    const made = await api.created('configmaps', { metadata: { name: api.name('one') } });
    await api.delete('configmaps', api.name('one'));
    const next = await api.created('configmaps', { metadata: { name: api.name('one') } });
    const answer = await api.patch('configmaps', api.name('one'), { metadata: { uid: uidOf(made), resourceVersion: versionOf(made) }, data: { key: 'value' } });
    expect([409, 422]).toContain(answer.status);
    expect(versionOf((await api.get('configmaps', api.name('one'))).body)).toBe(versionOf(next));
  });

  holds('a merge patch with another UID answers 409 or 422, and changes nothing', async (api) => {
    const made = await api.created('configmaps', { metadata: { name: api.name('one') } });
    const answer = await api.patch('configmaps', nameOf(made), { metadata: { uid: '00000000-0000-4000-a000-000000000000', annotations: { a: 'b' } } });
    expect([409, 422]).toContain(answer.status);
    expect(versionOf((await api.get('configmaps', nameOf(made))).body)).toBe(versionOf(made));
  });

  holds('a merge patch on an object that is gone answers 404', async (api) => {
    expect((await api.patch('configmaps', api.name('one'), { metadata: { annotations: { a: 'b' } } })).status).toBe(404);
  });

  holds('a server-side apply with a UID answers 422 for a foreign one, and 409 when the object is gone', async (api) => {
    const made = await api.created('configmaps', { metadata: { name: api.name('one') } });
    const apply = (uid: string): ReturnType<Api['send']> => api.send({
      method: 'PATCH', path: api.path('configmaps', nameOf(made)), query: { fieldManager: 'contract', force: 'true' }, contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: nameOf(made), uid, annotations: { a: 'b' } } },
    });
    expect((await apply('00000000-0000-4000-a000-000000000000')).status).toBe(422);
    expect((await apply(uidOf(made))).status).toBe(200);
    await api.delete('configmaps', nameOf(made));
    await api.gone('configmaps', nameOf(made));
    expect((await apply(uidOf(made))).status).toBe(409);
  });

  holds('a patch with an old resourceVersion answers 409', async (api) => {
    const made = await api.created('configmaps', { metadata: { name: api.name('one') } });
    const patch = (value: string): ReturnType<Api['send']> => api.patch('configmaps', nameOf(made), { metadata: { resourceVersion: versionOf(made) }, data: { key: value } });
    expect((await patch('1')).status).toBe(200);
    expect((await patch('2')).status).toBe(409);
  });

  holds('a patch that changes nothing keeps the resourceVersion', async (api) => {
    const made = await api.created('configmaps', { metadata: { name: api.name('one') }, data: { key: 'value' } });
    const answer = await api.patch('configmaps', nameOf(made), { data: { key: 'value' } });
    expect([answer.status, versionOf(answer.body)]).toEqual([200, versionOf(made)]);
  });

  const changes: [string, JsonObject, number][] = [
    ['the image of a Job cannot be changed', { spec: { template: { spec: { containers: [{ name: 'main', image: 'other' }] } } } }, 422],
    ['completions of a plain Job cannot be changed', { spec: { completions: 5 } }, 422],
    ['parallelism can be changed', { spec: { parallelism: 3 } }, 200],
    ['activeDeadlineSeconds can be changed', { spec: { activeDeadlineSeconds: 1 } }, 200],
    ['suspend can be changed', { spec: { suspend: false } }, 200],
    ['labels and annotations can be changed', { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } }, 200],
  ];
  for (const [sentence, patch, status] of changes) {
    holds(sentence, async (api) => {
      await api.created('jobs', jobManifest(api, 'one', { suspend: true }));
      expect((await api.patch('jobs', api.name('one'), patch)).status).toBe(status);
    });
  }

  holds('data of an immutable ConfigMap cannot be changed, its labels can', async (api) => {
    await api.created('configmaps', { metadata: { name: api.name('one') }, data: { a: 'b' }, immutable: true });
    expect((await api.patch('configmaps', api.name('one'), { data: { a: 'c' } })).status).toBe(422);
    expect((await api.patch('configmaps', api.name('one'), { metadata: { labels: { a: 'c' } } })).status).toBe(200);
  });
}

function deleteCases(holds: Holds): void {
  holds('a delete with the wrong UID answers 409', async (api) => {
    await api.created('configmaps', { metadata: { name: api.name('one') } });
    expect((await api.delete('configmaps', api.name('one'), { preconditions: { uid: 'other' } })).status).toBe(409);
  });

  holds('a delete with an old resourceVersion answers 409', async (api) => {
    const made = await api.created('configmaps', { metadata: { name: api.name('one') } });
    await api.patch('configmaps', nameOf(made), { data: { a: 'b' } });
    expect((await api.delete('configmaps', nameOf(made), { preconditions: { resourceVersion: versionOf(made) } })).status).toBe(409);
  });

  holds('a background delete answers a Status without resourceVersion', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', { suspend: true }));
    const answer = await api.delete('jobs', api.name('one'), { propagationPolicy: 'Background' });
    expect([answer.status, stringAt(answer.body, 'kind'), stringAt(answer.body, 'status'), versionOf(answer.body)]).toEqual([200, 'Status', 'Success', '']);
  });

  holds('deleting what is gone answers 404', async (api) => {
    expect((await api.delete('jobs', api.name('one'))).status).toBe(404);
  });
}

function listCases(holds: Holds): void {
  const prepare = async (api: Api): Promise<void> => {
    for (const [name, labels] of [['a', { tier: 'x' }], ['b', { tier: 'y' }], ['c', {}]] as const) {
      await api.created('configmaps', { metadata: { name: api.name(name), labels } });
    }
  };
  const selectors: [string, string, string[]][] = [
    ['equality', 'tier=x', ['a']],
    ['inequality, which takes objects without the label too', 'tier!=x', ['b', 'c']],
    ['membership', 'tier in (x,y)', ['a', 'b']],
    ['non-membership', 'tier notin (x)', ['b', 'c']],
    ['existence', 'tier', ['a', 'b']],
    ['absence', '!tier', ['c']],
  ];
  for (const [what, selector, expected] of selectors) {
    holds(`labels are selected by ${what}`, async (api) => {
      await prepare(api);
      const own = `case=${api.mark['case'] ?? ''}`;
      expect(await api.names('configmaps', { labelSelector: `${own},${selector}` })).toEqual(expected.map((name) => api.name(name)));
    });
  }

  holds('pods are selected by phase', async (api) => {
    await api.created('jobs', jobManifest(api, 'one', { parallelism: 2, completions: 2 }));
    const [first] = await api.somePods(2);
    if (first) await api.endPod(first, 0);
    const living = await api.names('pods', { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' });
    expect(living).toHaveLength(1);
    expect(living).not.toContain(first && nameOf(first));
  });

  holds('an object is selected by name', async (api) => {
    await prepare(api);
    expect(await api.names('configmaps', { fieldSelector: `metadata.name=${api.name('b')}` })).toEqual([api.name('b')]);
  });

  holds('pages show one state, whatever happens between them', async (api) => {
    await prepare(api);
    const first = await api.list('configmaps', { limit: '2' });
    await api.created('configmaps', { metadata: { name: api.name('bb') } });
    const token = stringAt(objectAt(first.body, 'metadata'), 'continue') ?? '';
    const second = await api.list('configmaps', { limit: '2', continue: token });
    const names = [first, second].flatMap(({ body }) => arrayAt(body, 'items').map(nameOf));
    expect(names).toEqual(['a', 'b', 'c'].map((name) => api.name(name)));
    expect(versionOf(second.body)).toBe(versionOf(first.body));
    expect(objectAt(second.body, 'metadata')['continue'] ?? '').toBe('');
  });

  holds('metadata alone can be had', async (api) => {
    await api.created('configmaps', { metadata: { name: api.name('one') }, data: { a: 'b' } });
    const { body } = await api.list('configmaps', {}, { accept: asMetadata('List') });
    expect(stringAt(body, 'kind')).toBe('PartialObjectMetadataList');
    expect(arrayAt(body, 'items').map((item) => [nameOf(item), isObject(item) && 'data' in item])).toEqual([[api.name('one'), false]]);
  });

  holds('metadata of a list has to be asked for as a list', async (api) => {
    const answer = await api.list('configmaps', {}, { accept: asMetadata('') });
    expect([answer.status, stringAt(answer.body, 'reason')]).toEqual([406, 'NotAcceptable']);
  });
}

function watchCases(holds: Holds): void {
  holds('a watch continues where a list ended, in order', async (api) => {
    await api.created('configmaps', { metadata: { name: api.name('before') } });
    const { body } = await api.list('configmaps');
    await api.created('configmaps', { metadata: { name: api.name('one') } });
    const watch = await api.watch('configmaps', { resourceVersion: versionOf(body) });
    await api.patch('configmaps', api.name('one'), { data: { a: 'b' } });
    await api.delete('configmaps', api.name('one'));
    await api.until('three events', () => Promise.resolve(watch.lines.length >= 3 ? true : undefined));
    watch.stop();
    expect(watch.lines.map(({ type, object }) => [type, nameOf(object)])).toEqual([['ADDED', api.name('one')], ['MODIFIED', api.name('one')], ['DELETED', api.name('one')]]);
    const versions = watch.lines.map(({ object }) => Number(versionOf(object)));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
  });

  holds('an object that leaves the selector is DELETED as it was, with the new resourceVersion', async (api) => {
    const made = await api.created('configmaps', { metadata: { name: api.name('one'), labels: { state: 'in' } } });
    const watch = await api.watch('configmaps', { resourceVersion: versionOf(made), labelSelector: `case=${api.mark['case'] ?? ''},state=in` });
    const patched = await api.patch('configmaps', nameOf(made), { metadata: { labels: { state: 'out' } } });
    await api.patch('configmaps', nameOf(made), { metadata: { labels: { state: 'in' } } });
    await api.until('two events', () => Promise.resolve(watch.lines.length >= 2 ? true : undefined));
    watch.stop();
    expect(watch.lines.map(({ type }) => type)).toEqual(['DELETED', 'ADDED']);
    const [left] = watch.lines;
    expect(versionOf(left?.object ?? {})).toBe(versionOf(patched.body));
    expect(objectAt(objectAt(left?.object, 'metadata'), 'labels')['state']).toBe('in');
  });

  holds('metadata alone can be watched: a change of data shows as a new resourceVersion, a bookmark has the kind of the rest', async (api) => {
    const made = await api.created('configmaps', { metadata: { name: api.name('one') }, data: { a: 'b' } });
    const initial = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: 'true' };
    const watch = await api.watch('configmaps', initial, { accept: asMetadata('') });
    // Of bookmarks only the first is due; others come when the server likes.
    const told = (): WatchLine[] => watch.lines.filter((line) => line.type !== 'BOOKMARK' || line === watch.lines.find(({ type }) => type === 'BOOKMARK'));
    await api.until('what is there', () => Promise.resolve(told().length >= 2 ? true : undefined));
    const patched = await api.patch('configmaps', nameOf(made), { data: { a: 'c' } });
    await api.until('the change', () => Promise.resolve(told().length >= 3 ? true : undefined));
    await api.delete('configmaps', nameOf(made));
    await api.until('the deletion', () => Promise.resolve(told().length >= 4 ? true : undefined));
    watch.stop();
    expect(told().map(({ type, object }) => [type, stringAt(object, 'kind'), 'data' in object])).toEqual(['ADDED', 'BOOKMARK', 'MODIFIED', 'DELETED'].map((type) => [type, 'PartialObjectMetadata', false]));
    expect([versionOf(told()[2]?.object ?? {}), uidOf(told()[3]?.object ?? {})]).toEqual([versionOf(patched.body), uidOf(made)]);
    for (const { type, object } of watch.lines) if (type === 'BOOKMARK') expect([stringAt(object, 'kind'), 'data' in object]).toEqual(['PartialObjectMetadata', false]);
  });

  holds('a watch without a resourceVersion begins with what is there', async (api) => {
    await api.created('configmaps', { metadata: { name: api.name('one') } });
    const watch = await api.watch('configmaps', {});
    await api.until('an event', () => Promise.resolve(watch.lines.length > 0 ? true : undefined));
    watch.stop();
    expect(watch.lines.map(({ type }) => type)).toEqual(['ADDED']);
  });

  holds('timeoutSeconds ends the stream in an orderly way', async (api) => {
    const { body } = await api.list('configmaps');
    const watch = await api.watch('configmaps', { resourceVersion: versionOf(body), timeoutSeconds: '1' });
    await api.until('the end', () => Promise.resolve(watch.ended() ? true : undefined));
  });

  holds('bookmarks come about each minute where they are asked for', async (api) => {
    const { body } = await api.list('configmaps');
    const watch = await api.watch('configmaps', { resourceVersion: versionOf(body), allowWatchBookmarks: 'true' });
    await api.until('a bookmark', () => Promise.resolve(watch.lines.some(({ type }) => type === 'BOOKMARK') ? true : undefined), 90_000);
    watch.stop();
    expect(Number(versionOf(watch.lines[0]?.object ?? {}))).toBeGreaterThanOrEqual(Number(versionOf(body)));
  });
}

function expiryCase(holds: Holds): void {
  holds('a version that is no longer kept is a 410 inside the stream', async (api) => {
    const watch = await api.watch('configmaps', { resourceVersion: '1' });
    await api.until('an answer', () => Promise.resolve(watch.lines.length > 0 ? true : undefined));
    watch.stop();
    const [line] = watch.lines;
    expect([watch.status, line?.type, line?.object['code']]).toEqual([200, 'ERROR', 410]);
  });
}
