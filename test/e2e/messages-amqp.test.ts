/** A Job for each message of RabbitMQ, on a real cluster with a real server: how it is settled, and bad days of both. */
import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { amqpWorkerImageName } from '../../hack/dev/demo/images.ts';
import { noRealPods } from '../support/cluster.ts';
import { makeQueue, peek, publish, useRabbitMq, type QueueType } from '../support/rabbitmq.ts';
import { eventually } from './support/eventually.ts';
import { applyExample, each, installWith, jobCounts, jobsByMessage, killController, midJob, settledOf } from './support/messages.ts';
import { useSite } from './support/site.ts';
import { eager, restricted, shell } from './support/specs.ts';

const perMessage = { drain: undefined, startTimeout: '2m', timeout: '5m' };
const containing = (text: string): unknown => expect.stringContaining(text);

describe.skipIf(noRealPods !== undefined)('messages of RabbitMQ', () => {
  const rabbit = useRabbitMq({ listenAll: true });
  const site = useSite({ name: 'messages-amqp' }, (opened) => {
    const { port, user, password } = rabbit.server;
    return installWith(opened, { name: 'rabbit', type: 'amqp', files: { host: opened.place.hostAddress, port: String(port), user, password, heartbeat: '10' } });
  });

  const newQueue = (queue: string, type: QueueType = 'quorum'): Promise<void> => makeQueue(rabbit.client(), queue, type);
  /** Publishes as most do: persistent JSON with a message_id; the ids. */
  const send = async (queue: string, bodies: readonly unknown[], headers: Readonly<Record<string, unknown>> = {}): Promise<readonly string[]> => {
    const messages = bodies.map((body) => ({ body: Buffer.from(JSON.stringify(body)), envelope: { messageId: randomUUID(), contentType: 'application/json', headers: { ...headers } } }));
    await publish(rabbit.client(), queue, messages);
    return messages.map(({ envelope }) => envelope.messageId);
  };
  const from = (queue: string): object => ({ source: { amqp: { connection: 'rabbit', queue } } });
  /** Neither waiting nor in anybody's hand: what was acknowledged. */
  const gone = async (queue: string): Promise<void> => { expect(await rabbit.server.kept(queue), `messages of ${queue}`).toBe(0); };
  const deadIn = async (queue: string) => (await peek(rabbit.client(), queue)).map(({ body, messageId, headers = {} }): Record<string, unknown> => ({ body: body as unknown, messageId, headers }));

  it.concurrent('are files and environment variables of one Job each, and acknowledged when it succeeds', async () => {
    await newQueue('letters');
    const script = [
      'set -e',
      'test "`cat /job-chief/message`" = "$BODY"',
      'test "$QUEUE_NAME/$JOB_CHIEF_NAME/$JOB_CHIEF_ATTEMPT" = letters/letters/1',
      'printf "to=%s\\ntenant=%s\\nid=%s\\n" "$TO" "$TENANT" "$JOB_CHIEF_MESSAGE_ID" > "$JOB_CHIEF_OUTPUT"',
    ].join('\n');
    const env = { TO: 'dear $(message.body.to)', TENANT: '$(message.headers.tenant)' };
    await site().queue('letters', { ...perMessage, ...from('letters'), perMessage: { payload: { env: 'BODY' }, env, deadLetter: { policy: true } }, job: shell(script) });
    const ids = await send('letters', Array.from({ length: 5 }, (_, number) => ({ number, to: 'A "quoted" $(NUMBER) & `name`' })), { tenant: 'acme' });
    await eventually(async () => {
      expect(await settledOf(site(), 'letters')).toEqual(ids.map(() => 'completed'));
      await gone('letters');
    });
    expect(await jobCounts(site(), 'letters')).toEqual(each(ids, 1));
    const pods = await site().pods('letters');
    const said = pods.map(({ status }) => status.containerStatuses?.[0]?.state?.terminated?.message);
    expect(said.toSorted()).toEqual(ids.map((id) => `to=dear A "quoted" $(NUMBER) & \`name\`\ntenant=acme\nid=${id}\n`).toSorted());
    // What a message says is in a Secret that goes with its Job, and nowhere else.
    expect(JSON.stringify(await site().jobs('letters'))).not.toContain('quoted');
    expect(await site().logs()).not.toContain('quoted');
    await site().statusBecomes('letters', { state: 'Idle', reason: 'QueueListening', liveJobs: 0 });
  });

  it.concurrent('are tried again when their Job fails, and then are dead letters with the reason', async () => {
    await newQueue('bills', 'classic');
    await newQueue('dead-bills', 'classic');
    await site().queue('bills', {
      ...perMessage,
      ...from('bills'),
      perMessage: { retry: { attempts: 2, delay: '0s' }, deadLetter: { queue: 'dead-bills' } },
      job: shell('printf "no such customer" > /dev/termination-log; exit 3'),
    });
    const [id = ''] = await send('bills', [{ customer: 7 }], { tenant: 'acme' });
    await eventually(async () => {
      await gone('bills');
      expect((await settledOf(site(), 'bills')).toSorted()).toEqual(['dead', 'returned']);
    });
    expect(await deadIn('dead-bills')).toMatchObject([
      {
        body: { customer: 7 },
        messageId: id,
        headers: { tenant: 'acme', 'x-job-chief-id': id, 'x-job-chief-queue': 'bills', 'x-job-chief-attempt': 2, 'x-job-chief-exit-code': 3, 'x-job-chief-message': containing('no such customer') },
      },
    ]);
    const jobs = (await jobsByMessage(site(), 'bills')).get(id) ?? [];
    expect(jobs.map(({ metadata }) => metadata.labels?.['job-chief/attempt']).toSorted()).toEqual(['1', '2']);
  });

  it.concurrent('that cannot be used start no Job, and hold up no other', async () => {
    await newQueue('orders');
    await newQueue('dead-orders');
    await site().queue('orders', {
      ...perMessage,
      ...from('orders'),
      perMessage: { schema: { type: 'object', required: ['item'], properties: { item: { type: 'string' } } }, deadLetter: { queue: 'dead-orders' } },
      job: shell('true'),
    });
    const [bad = '', good = ''] = await send('orders', [{ item: 5 }, { item: 'lamp' }]);
    await eventually(async () => {
      await gone('orders');
      expect(await settledOf(site(), 'orders')).toEqual(['completed']);
    });
    expect(await deadIn('dead-orders')).toMatchObject([{ body: { item: 5 }, messageId: bad, headers: { 'x-job-chief-id': bad } }]);
    expect(await jobCounts(site(), 'orders')).toEqual({ [good]: 1 });
  });

  it.concurrent('can be left to a Job whose pods fetch them for themselves', async () => {
    await newQueue('parcels');
    await send('parcels', Array.from({ length: 12 }, (_, number) => ({ number })));
    await site().queue('parcels', {
      ...from('parcels'),
      drain: eager,
      injectConnection: true,
      job: { image: amqpWorkerImageName, env: [{ name: 'WORK_MS', value: '50' }], ...restricted },
    });
    await eventually(() => gone('parcels'));
    await site().statusBecomes('parcels', { state: 'Idle', reason: 'QueueEmpty', liveJobs: 0, lastRun: { outcome: 'succeeded' } });
    const [job, ...more] = await site().jobs('parcels');
    expect(more).toEqual([]);
    expect(JSON.stringify(job)).not.toContain(rabbit.server.password);
    expect(await site().kubectl('logs', `job/${job?.metadata.name ?? ''}`)).toContain('nothing left after 12 messages');
  });

  it.concurrent('run by the example for a queue that job-chief declares, as it stands', async () => {
    const channel = await rabbit.client().acquire();
    await channel.exchangeDeclare({ exchange: 'dead', type: 'direct', durable: true });
    await newQueue('dead-pictures', 'classic');
    await channel.queueBind({ exchange: 'dead', queue: 'dead-pictures', routingKey: 'pictures' });
    await channel.close();
    await applyExample(site(), 'rabbitmq.yaml');
    await site().statusBecomes('pictures', { state: 'Idle', reason: 'QueueListening' });
    const [good = ''] = await send('pictures', [{ picture: 'cat.png' }], { tenant: 'acme' });
    const [bad = ''] = await send('pictures', [{ sound: 'meow.ogg' }], { tenant: 'acme' });
    await eventually(async () => {
      await gone('pictures');
      expect((await settledOf(site(), 'pictures')).toSorted()).toEqual(['completed', 'dead']);
    });
    expect(await deadIn('dead-pictures')).toMatchObject([{ body: { sound: 'meow.ogg' }, messageId: bad, headers: { tenant: 'acme', 'x-job-chief-id': bad, 'x-job-chief-exit-code': 1 } }]);
    const [job] = (await jobsByMessage(site(), 'pictures')).get(good) ?? [];
    expect(await site().kubectl('logs', `job/${job?.metadata.name ?? ''}`)).toContain('made acme/cat.png');
  });

  it.concurrent('run by the example for content and environment, as it stands', async () => {
    for (const name of ['tenant.created', 'tenant.created.dead']) await newQueue(name);
    await applyExample(site(), 'content-and-environment.yaml');
    await site().statusBecomes('tenants', { state: 'Idle', reason: 'QueueListening' });
    const body = { content: 'a new tenant', environment: { LEVEL: 'gold' } };
    await send('tenant.created', [body, { content: 'no environment' }]);
    await eventually(async () => {
      await gone('tenant.created');
      expect(await settledOf(site(), 'tenants')).toEqual(['taken']);
      expect((await site().jobs('tenants')).map(({ status }) => status.succeeded)).toEqual([1]);
    });
    expect(await deadIn('tenant.created.dead')).toMatchObject([{ body: { content: 'no environment' } }]);
    const [job] = await site().jobs('tenants');
    const name = job?.metadata.name ?? '';
    const sha256 = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    expect((await site().kubectl('logs', `job/${name}`)).trim().split('\n')).toEqual(['acme/tenants', name, 'a new tenant', sha256, 'gold']);
  });

  // By themselves, after the others: what happens here happens to the whole server, or to job-chief.
  it('meet their Job again when the server was restarted in its middle', async () => {
    for (const type of ['classic', 'quorum'] as const) {
      const queue = `restarted-${type}`;
      await newQueue(queue, type);
      await site().queue(queue, { ...perMessage, ...from(queue), perMessage: { deadLetter: { policy: true } }, job: shell('sleep 12; printf done=yes > "$JOB_CHIEF_OUTPUT"') });
    }
    const ids = { classic: await send('restarted-classic', [{ number: 1 }]), quorum: await send('restarted-quorum', [{ number: 2 }]) };
    for (const type of ['classic', 'quorum'] as const) await site().running(`restarted-${type}`);
    await rabbit.server.restart();
    for (const type of ['classic', 'quorum'] as const) {
      const queue = `restarted-${type}`;
      await eventually(async () => {
        expect(await settledOf(site(), queue)).toEqual(['completed']);
        await gone(queue);
      });
      expect(await jobCounts(site(), queue)).toEqual(each(ids[type], 1));
      await site().statusBecomes(queue, { state: 'Idle', reason: 'QueueListening', liveJobs: 0 });
    }
  });

  it('have one Job each, and are settled once, while job-chief is killed', async () => {
    await newQueue('killed');
    await newQueue('dead-killed');
    await site().queue('killed', { ...perMessage, ...from('killed'), concurrency: { max: 4 }, perMessage: { deadLetter: { queue: 'dead-killed' } }, job: shell('sleep 6; case `cat /job-chief/message` in *bad*) exit 4;; esac') });
    const ids = await send('killed', Array.from({ length: 20 }, (_, number) => ({ number, kind: number === 3 ? 'bad' : 'good' })));
    // While Jobs are being created.
    await eventually(async () => expect((await site().jobs('killed')).length).toBeGreaterThanOrEqual(1));
    await killController(site());
    // In the middle of Jobs. One that is killed between an acknowledgement and its note never hears of the message again.
    for (const started of [4, 8]) {
      await midJob(site(), 'killed', started);
      await killController(site());
    }
    await eventually(async () => {
      await gone('killed');
      expect((await settledOf(site(), 'killed')).toSorted()).toEqual([...ids.slice(1).map(() => 'completed'), 'dead']);
    }, 120_000);
    expect(await jobCounts(site(), 'killed')).toEqual(each(ids, 1));
    expect((await deadIn('dead-killed')).map(({ messageId }) => messageId)).toEqual([ids[3]]);
    await site().statusBecomes('killed', { state: 'Idle', liveJobs: 0 });
  });
});
