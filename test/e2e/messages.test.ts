/** A Job for each message, on a real cluster: with what it is given, with what its queue is told, and with job-chief killed. */
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { jobsByMessage } from './support/messages.ts';
import { runsOf } from './support/runs.ts';
import { useSite, type Site } from './support/site.ts';
import { shell } from './support/specs.ts';

interface Row {
  readonly id: string;
  readonly state: string;
  readonly data: unknown;
  readonly output: unknown;
  readonly source: string | null;
}

/** A queue of pg-boss that is not tried again by itself. */
async function newQueue(site: Site, queue: string): Promise<void> {
  await site.boss.createQueue(queue, { notify: true, retryLimit: 0, expireInSeconds: 3_600 });
}

async function sent(site: Site, queue: string, data: readonly object[]): Promise<readonly string[]> {
  const ids = await Promise.all(data.map((one) => site.boss.send(queue, one)));
  return ids.flatMap((id) => id ?? []);
}

async function rows(site: Site, queue: string): Promise<readonly Row[]> {
  const { rows: found } = await site.boss.getDb().executeSql('SELECT id, state::text, data, output, source_id AS source FROM pgboss.job WHERE name = $1 ORDER BY created_on, id', [queue]);
  return found as Row[];
}

const perMessage = { drain: undefined, timeout: '10m' };
const containing = (text: string): unknown => expect.stringContaining(text);

describe.skipIf(noRealPods !== undefined)('a Job for each message', () => {
  const site = useSite({ name: 'messages', enforce: 'restricted' }, (opened) => opened.install({ components: ['messages'] }));

  it.concurrent('sees it as a file and in its environment, and the queue keeps what it writes', async () => {
    await newQueue(site(), 'letters');
    const script = [
      'set -e',
      'test "`cat /job-chief/message`" = "$BODY"',
      'test "$QUEUE_NAME/$JOB_CHIEF_NAME/$JOB_CHIEF_ATTEMPT" = letters/letters/1',
      'printf "to=%s\\nnumber=%s\\nid=%s\\n" "$TO" "$NUMBER" "$JOB_CHIEF_MESSAGE_ID" > "$JOB_CHIEF_OUTPUT"',
    ].join('\n');
    await site().queue('letters', { ...perMessage, perMessage: { payload: { env: 'BODY' }, env: { NUMBER: '$(message.body.number)', TO: 'dear $(message.body.to)' } }, job: shell(script) });
    const to = 'A "quoted" $(NUMBER) & `name`';
    const ids = await sent(site(), 'letters', Array.from({ length: 5 }, (_, number) => ({ number, to })));
    await eventually(async () => {
      const found = await rows(site(), 'letters');
      expect(found.map(({ state }) => state)).toEqual(ids.map(() => 'completed'));
      expect(found.map(({ id, output }) => ({ id, output })).toSorted((left, right) => left.id.localeCompare(right.id))).toEqual(
        ids.map((id, number) => ({ id, output: { to: `dear ${to}`, number: String(number), id } })).toSorted((left, right) => left.id.localeCompare(right.id)),
      );
    });
    const jobs = await jobsByMessage(site(), 'letters');
    expect([...jobs].map(([id, all]) => [id, all.length]).toSorted()).toEqual(ids.map((id) => [id, 1]).toSorted());
    // What a message says is in a Secret that goes with its Job, and nowhere else.
    expect(JSON.stringify([...jobs.values()])).not.toContain('quoted');
    const secrets = JSON.parse(await site().kubectl('get', 'secrets', '-l', 'job-chief/name=letters', '-o', 'json')) as { items: { metadata: { name: string; ownerReferences: { kind: string; name: string }[] } }[] };
    expect(secrets.items.map(({ metadata: { name, ownerReferences: [owner] } }) => [name, owner?.kind, owner?.name]).toSorted()).toEqual([...jobs.values()].flat().map(({ metadata: { name } }) => [name, 'Job', name]).toSorted());
    expect(await site().logs()).not.toContain('quoted');
    await site().statusBecomes('letters', { state: 'Idle', reason: 'QueueListening', liveJobs: 0 });
  });

  it.concurrent('that fails is tried again, and then its message is a dead letter with the reason', async () => {
    await newQueue(site(), 'bills');
    await newQueue(site(), 'dead-bills');
    await site().queue('bills', {
      ...perMessage,
      perMessage: { retry: { attempts: 2, delay: '0s' }, deadLetter: { queue: 'dead-bills' } },
      job: shell('printf "no such customer" > /dev/termination-log; exit 3'),
    });
    const [id = ''] = await sent(site(), 'bills', [{ customer: 7 }]);
    await eventually(async () => expect(await rows(site(), 'dead-bills')).toMatchObject([{ state: 'created', data: { customer: 7 }, source: id }]));
    await eventually(async () => expect(await rows(site(), 'bills')).toMatchObject([{ id, state: 'completed' }]));
    const [[, jobs = []] = []] = await jobsByMessage(site(), 'bills');
    expect(jobs.map(({ metadata }) => metadata.labels?.['job-chief/attempt']).toSorted()).toEqual(['1', '2']);
    const found = await site().boss.getDb().executeSql("SELECT source_output FROM pgboss.job WHERE name = 'dead-bills'");
    expect(found.rows).toMatchObject([{ source_output: { message: containing('no such customer'), attempt: 2, exitCode: 3 } }]);
  });

  it.concurrent('is not started for a message that cannot be used: it is a dead letter at once', async () => {
    await newQueue(site(), 'orders');
    await newQueue(site(), 'dead-orders');
    await site().queue('orders', {
      ...perMessage,
      perMessage: { schema: { type: 'object', required: ['item'], properties: { item: { type: 'string' } } }, deadLetter: { queue: 'dead-orders' } },
      job: shell('true'),
    });
    const [bad = '', good = ''] = await sent(site(), 'orders', [{ item: 5 }, { item: 'lamp' }]);
    await eventually(async () => {
      expect(await rows(site(), 'dead-orders')).toMatchObject([{ data: { item: 5 }, source: bad }]);
      expect((await rows(site(), 'orders')).map(({ state }) => state)).toEqual(['completed', 'completed']);
    });
    expect([...(await jobsByMessage(site(), 'orders')).keys()]).toEqual([good]);
  });

  it.concurrent('whose image cannot be pulled costs the message nothing', async () => {
    await newQueue(site(), 'parcels');
    await site().queue('parcels', { ...perMessage, perMessage: { waitAfter: { notStarted: '1s' } }, job: shell('true', { image: 'job-chief.local/none:1', imagePullPolicy: 'Never' }) });
    await sent(site(), 'parcels', [{ weight: 3 }]);
    await eventually(async () => expect((await site().jobs('parcels')).length).toBeGreaterThanOrEqual(1));
    await eventually(async () => expect((await site().status('parcels'))?.lastRun).toMatchObject({ outcome: 'notStarted' }));
    expect(await rows(site(), 'parcels')).toMatchObject([{ state: 'active' }]);
    await site().queue('parcels', { ...perMessage, perMessage: { waitAfter: { notStarted: '1s' } }, job: shell('true') });
    await eventually(async () => expect(await rows(site(), 'parcels')).toMatchObject([{ state: 'completed' }]));
    expect((await site().jobs('parcels')).map(({ metadata }) => metadata.labels?.['job-chief/attempt'])).toEqual(expect.arrayContaining(['1']));
    expect(new Set((await site().jobs('parcels')).map(({ metadata }) => metadata.labels?.['job-chief/attempt']))).toEqual(new Set(['1']));
  });

  it.concurrent('may start a run of a template in place of a Job, which settles it', async () => {
    await newQueue(site(), 'pictures');
    const template = {
      apiVersion: 'job-chief/v1', kind: 'Template', startTimeout: '2m', timeout: '5m',
      parameters: { url: { type: 'string' }, width: { type: 'integer', maximum: 4000 }, tags: { type: 'array', items: { type: 'string' } } },
      job: shell('printf "width=%s\\ntags=%s\\n" "$(params.width)" "$(params.tags)" > "$JOB_CHIEF_OUTPUT"'),
      outputs: { width: { type: 'integer' }, tags: { type: 'string' } },
    };
    await site().apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'thumbnail', labels: { 'job-chief': 'template' } }, data: { 'spec.yaml': stringify(template) } });
    const parameters = { url: '$(message.body.url)', width: '$(message.body.width)', tags: '$(message.body.tags)' };
    await site().queue('pictures', { drain: undefined, job: undefined, template: 'thumbnail', perMessage: { parameters } });
    const [good, bad] = await sent(site(), 'pictures', [{ url: 'https://x', width: 512, tags: ['a', 'b'] }, { url: 'https://x', width: 'wide', tags: [] }]);
    await eventually(async () => expect(Object.fromEntries((await rows(site(), 'pictures')).map(({ id, state }) => [id, state]))).toEqual({ [good ?? '']: 'completed', [bad ?? '']: 'failed' }));
    const found = await rows(site(), 'pictures');
    expect(found.find(({ id }) => id === good)?.output).toMatchObject({ width: 512 });
    expect(JSON.stringify(found.find(({ id }) => id === bad)?.output)).toContain('the parameter \\"width\\" cannot be made: the text is not a whole number');
    const runs = (await runsOf(site(), 'thumbnail')).map(({ request, phase }) => [request.trigger, phase]);
    expect(runs).toEqual([['message', 'Succeeded']]);
    await site().statusBecomes('pictures', { state: 'Idle', liveJobs: 0 });
  });

  it.concurrent('needs no more rights on Secrets than to create them', async () => {
    const account = `system:serviceaccount:${site().namespace}:job-chief`;
    const may = async (verb: string): Promise<string> => (await site().kubectl('auth', 'can-i', verb, 'secrets', '--as', account).catch(String)).includes('yes') ? verb : '';
    const allowed = await Promise.all(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'].map(may));
    expect(allowed.filter((verb) => verb !== '')).toEqual(['create']);
  });
});

describe.skipIf(noRealPods !== undefined)('messages while job-chief is killed', () => {
  const site = useSite({ name: 'messages-killed' }, (opened) => opened.install({ components: ['messages'] }));

  it('each has exactly one Job, and each is completed', async () => {
    await newQueue(site(), 'killed');
    await site().queue('killed', { ...perMessage, concurrency: { max: 4 }, perMessage: {}, job: shell('sleep 2; printf "n=`cat /job-chief/message`" > "$JOB_CHIEF_OUTPUT"') });
    const kill = (): Promise<unknown> =>
      eventually(async () => {
        const [pod] = await site().controllers();
        expect(pod?.status.phase).toBe('Running');
        await site().kubectl('delete', 'pod', pod?.metadata.name ?? '', '--force', '--grace-period=0');
      });
    const ids = await sent(site(), 'killed', Array.from({ length: 12 }, (_, number) => ({ number })));
    for (const started of [1, 5, 9]) {
      await eventually(async () => expect((await site().jobs('killed')).length).toBeGreaterThanOrEqual(started));
      await kill();
    }
    await eventually(async () => expect((await rows(site(), 'killed')).map(({ state }) => state)).toEqual(ids.map(() => 'completed')), 240_000);
    const jobs = await jobsByMessage(site(), 'killed');
    expect([...jobs].map(([id, all]) => [id, all.length]).toSorted()).toEqual(ids.map((id) => [id, 1]).toSorted());
    await site().statusBecomes('killed', { state: 'Idle', liveJobs: 0 });
  });
});
