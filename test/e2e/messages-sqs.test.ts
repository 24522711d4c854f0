/** A Job for each message of SQS, on a real cluster, with a server that keeps its rules. */
import { startFauxqs, type FauxqsServer } from 'fauxqs';
import { afterAll, describe, expect, it } from 'vitest';
import { noRealPods } from '../support/cluster.ts';
import { inspect, send as sendToSqs } from '../support/sqs.ts';
import { eventually } from './support/eventually.ts';
import { applyExample, each, installWith, jobCounts, jobsByMessage, killController, midJob, settledOf } from './support/messages.ts';
import { useSite } from './support/site.ts';
import { shell } from './support/specs.ts';

const perMessage = { drain: undefined, startTimeout: '2m', timeout: '5m' };
const containing = (text: string): unknown => expect.stringContaining(text);
const ofAcme = { messageAttributes: { tenant: { DataType: 'String', StringValue: 'acme' } } };

describe.skipIf(noRealPods !== undefined)('messages of SQS', () => {
  const started: { server?: FauxqsServer } = {};
  const server = (): FauxqsServer => {
    if (!started.server) throw new Error('SQS runs only inside tests');
    return started.server;
  };
  const site = useSite({ name: 'messages-sqs' }, async (opened) => {
    started.server = await startFauxqs({ port: 0, logger: false });
    const files = { region: 'us-east-1', endpoint: `http://${opened.place.hostAddress}:${started.server.port}`, 'access-key-id': 'test', 'secret-access-key': 'test' };
    await installWith(opened, { name: 'aws', type: 'sqs', files });
  });
  afterAll(() => started.server?.stop());

  const newQueue = (queue: string, attributes: Record<string, string> = {}): void => { server().createQueue(queue, { attributes: { VisibilityTimeout: '10', ...attributes } }); };
  const from = (queue: string): object => ({ source: { sqs: { connection: 'aws', queue } } });
  /** Neither waiting nor in anybody's hand: what was deleted. */
  const gone = (queue: string): void => { expect(inspect(server(), queue), `messages of ${queue}`).toMatchObject({ ready: [], inflight: [] }); };

  it.concurrent('are files and environment variables of one Job each, and deleted when it succeeds', async () => {
    newQueue('letters');
    const script = [
      'set -e',
      'test "`cat /job-chief/message`" = "$BODY"',
      'test "$QUEUE_NAME/$JOB_CHIEF_NAME/$JOB_CHIEF_ATTEMPT" = letters/letters/1',
      // One of them takes longer than the visibility timeout: it is kept in hand.
      'case "$BODY" in *3*) sleep 15;; esac',
      'printf "to=%s\\ntenant=%s\\nid=%s\\n" "$TO" "$TENANT" "$JOB_CHIEF_MESSAGE_ID" > "$JOB_CHIEF_OUTPUT"',
    ].join('\n');
    const env = { TO: 'dear $(message.body.to)', TENANT: '$(message.headers.tenant)' };
    await site().queue('letters', { ...perMessage, ...from('letters'), perMessage: { payload: { env: 'BODY' }, env }, job: shell(script) });
    const ids = Array.from({ length: 5 }, (_, number) => sendToSqs(server(), 'letters', JSON.stringify({ number, to: 'A "quoted" $(NUMBER) & `name`' }), ofAcme));
    await eventually(async () => {
      gone('letters');
      expect(await settledOf(site(), 'letters')).toEqual(ids.map(() => 'completed'));
    });
    expect(await jobCounts(site(), 'letters')).toEqual(each(ids, 1));
    const said = (await site().pods('letters')).map(({ status }) => status.containerStatuses?.[0]?.state?.terminated?.message);
    expect(said.toSorted()).toEqual(ids.map((id) => `to=dear A "quoted" $(NUMBER) & \`name\`\ntenant=acme\nid=${id}\n`).toSorted());
    // What a message says is in a Secret that goes with its Job, and nowhere else.
    expect(JSON.stringify(await site().jobs('letters'))).not.toContain('quoted');
    expect(await site().logs()).not.toContain('quoted');
    await site().statusBecomes('letters', { state: 'Idle', reason: 'QueueListening', liveJobs: 0 });
  });

  it.concurrent('are tried again when their Job fails, and then are dead letters with the reason', async () => {
    for (const name of ['bills', 'dead-bills']) newQueue(name);
    await site().queue('bills', {
      ...perMessage,
      ...from('bills'),
      perMessage: { retry: { attempts: 2, delay: '0s' }, deadLetter: { queue: 'dead-bills' } },
      job: shell('printf "no such customer" > /dev/termination-log; exit 3'),
    });
    const id = sendToSqs(server(), 'bills', '{"customer":7}', ofAcme);
    await eventually(async () => {
      gone('bills');
      expect((await settledOf(site(), 'bills')).toSorted()).toEqual(['dead', 'returned']);
    });
    const text = (value: unknown): object => ({ StringValue: value });
    expect(inspect(server(), 'dead-bills').ready).toMatchObject([
      {
        body: '{"customer":7}',
        messageAttributes: { tenant: text('acme'), 'x-job-chief-id': text(id), 'x-job-chief-queue': text('bills'), 'x-job-chief-attempt': text('2'), 'x-job-chief-exit-code': text('3'), 'x-job-chief-message': text(containing('no such customer')) },
      },
    ]);
    const jobs = (await jobsByMessage(site(), 'bills')).get(id) ?? [];
    expect(jobs.map(({ metadata }) => metadata.labels?.['job-chief/attempt']).toSorted()).toEqual(['1', '2']);
  });

  it.concurrent('that fail are left to the redrive policy of their queue where there is no `deadLetter`', async () => {
    newQueue('dead-returns');
    newQueue('returns', { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead-returns', maxReceiveCount: 2 }) });
    await site().queue('returns', { ...perMessage, ...from('returns'), perMessage: {}, job: shell('exit 3') });
    const id = sendToSqs(server(), 'returns', 'broken');
    await eventually(() => {
      gone('returns');
      expect(inspect(server(), 'dead-returns').ready).toMatchObject([{ body: 'broken' }]);
    });
    expect(await jobCounts(site(), 'returns')).toEqual({ [id]: 2 });
  });

  it.concurrent('run by the example for a FIFO queue, as it stands', async () => {
    newQueue('orders.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    const ids = ['one', 'two', 'three'].map((body) => server().sendMessage('orders.fifo', body, { messageGroupId: 'customer-7' }).messageId);
    await applyExample(site(), 'sqs.yaml');
    await eventually(async () => {
      gone('orders.fifo');
      expect(await settledOf(site(), 'orders')).toEqual(ids.map(() => 'completed'));
    });
    const byMessage = await jobsByMessage(site(), 'orders');
    expect(Object.fromEntries([...byMessage].map(([id, jobs]) => [id, jobs.length]))).toEqual(each(ids, 1));
    const logs = await Promise.all(ids.map((id) => site().kubectl('logs', `job/${byMessage.get(id)?.[0]?.metadata.name ?? ''}`)));
    expect(logs.map((log) => log.trim())).toEqual(ids.map((id, index) => `${id} ${['one', 'two', 'three'][index] ?? ''}`));
    // One after the other, since they are of one group: none was made before the one before it had ended.
    const made = ids.map((id) => site().witness.madeAt(byMessage.get(id)?.[0]?.metadata.name ?? '') ?? 0);
    expect(made).toEqual(made.toSorted((left, right) => left - right));
  });

  // By itself, after the others: it happens to job-chief as a whole.
  it('have one Job each, and are settled once, while job-chief is killed', async () => {
    for (const name of ['killed', 'dead-killed']) newQueue(name);
    // SQS may hand out all others before one whose Job waits for its payload again.
    await site().queue('killed', { ...perMessage, startTimeout: '10m', ...from('killed'), concurrency: { max: 4 }, perMessage: { deadLetter: { queue: 'dead-killed' } }, job: shell('sleep 6; case `cat /job-chief/message` in bad) exit 4;; esac') });
    const ids = Array.from({ length: 14 }, (_, number) => sendToSqs(server(), 'killed', number === 3 ? 'bad' : 'good'));
    // While Jobs are being created.
    await eventually(async () => expect((await site().jobs('killed')).length).toBeGreaterThanOrEqual(1));
    await killController(site());
    // In the middle of Jobs. One that is killed between a deletion and its note never hears of the message again.
    for (const made of [4, 8]) {
      await midJob(site(), 'killed', made);
      await killController(site());
    }
    await eventually(async () => {
      gone('killed');
      expect((await settledOf(site(), 'killed')).toSorted()).toEqual([...ids.slice(1).map(() => 'completed'), 'dead']);
    }, 120_000);
    expect(await jobCounts(site(), 'killed')).toEqual(each(ids, 1));
    expect(inspect(server(), 'dead-killed').ready.map(({ messageAttributes }) => messageAttributes['x-job-chief-id']?.StringValue)).toEqual([ids[3]]);
    await site().statusBecomes('killed', { state: 'Idle', liveJobs: 0 });
  });
});
