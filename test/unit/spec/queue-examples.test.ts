/** manifests/examples/messages: each file is a valid spec, and gives its workers what its comments say. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { starter } from '../../../src/cli/new.ts';
import type { Json } from '../../../src/lib/json.ts';
import { leaseTooShort } from '../../../src/plan/messages/lease-limit.ts';
import { runLeaseTooShort } from '../../../src/plan/messages/runs/lease-limit.ts';
import { renderMessageText, type MessageValues } from '../../../src/spec/message-text.ts';
import { parseSpec } from '../../../src/spec/parse.ts';
import { isRunnable, type Spec } from '../../../src/spec/parsed.ts';
import type { MessageQueueSpec } from '../../../src/spec/queue.ts';
import { openFindings } from '../../../src/spec/request-values.ts';
import { valueChecker } from '../../../src/spec/value-check.ts';

const folder = path.join(import.meta.dirname, '../../../manifests/examples/messages');

function readExample(file: string): Spec | undefined {
  const { data, metadata } = parseYaml(readFileSync(file, 'utf8')) as { data: Record<string, string>; metadata: { name: string; labels: Record<string, string> } };
  const { spec, problems } = parseSpec({ file, objectName: metadata.name, label: metadata.labels['job-chief'], data }, {});
  expect(problems).toEqual([]);
  return spec;
}

function example(file: string): MessageQueueSpec {
  const spec = readExample(path.join(folder, file));
  if (spec?.kind !== 'Queue' || spec.mode === 'drain') throw new Error(`${file} is no Queue whose messages job-chief leases`);
  return spec;
}

function env({ perMessage }: MessageQueueSpec, body: Json, changes: Partial<MessageValues> = {}): unknown {
  const message: MessageValues = { id: 'id', attempt: 1, sha256: 'ab', headers: {}, body: () => body, ...changes };
  return Object.fromEntries(Object.entries(perMessage.env).map(([name, text]) => [name, renderMessageText(text, message)]));
}

/** Where nobody has set another: expireInSeconds of pg-boss, consumer_timeout of RabbitMQ, 12 h of SQS. */
const usualLimit = { pgBoss: 900_000, amqp: 1_800_000, sqs: 43_200_000 } as const;

describe('the examples of messages', () => {
  it.each(readdirSync(folder))('fit in what queues allow: %s', (file) => {
    const spec = example(file);
    if (spec.run) return;
    expect(leaseTooShort(spec, { kind: 'open', leaseLimit: usualLimit[spec.source.type], strict: true, limitName: 'the usual' })).toBeUndefined();
  });

  it('fit in what queues allow: the text that job-chief new writes', () => {
    const { spec } = parseSpec({ file: 'new', objectName: 'new', label: 'queue', data: { 'spec.yaml': starter('message-queue', { image: 'x:1', target: 'template/t', specOnly: true }) } }, {});
    expect(spec).toMatchObject({ mode: 'perMessage' });
    expect(leaseTooShort(spec as MessageQueueSpec, { kind: 'open', leaseLimit: usualLimit.pgBoss, strict: true, limitName: 'the usual' })).toBeUndefined();
  });

  it.each([['run-of-template.yaml', 'templates/resize.yaml'], ['run-of-workflow.yaml', 'workflows/for-each-item.yaml']])('hand on what the example fits that they run: %s', (file, other) => {
    const spec = example(file);
    const target = readExample(path.join(folder, '..', other));
    if (!spec.run || !isRunnable(target)) throw new Error(`${file} runs nothing`);
    const open = { kind: 'open', leaseLimit: usualLimit[spec.source.type], strict: true, limitName: 'the usual' } as const;
    expect([spec.run.target.name, openFindings(target.parameters, spec.run.parameters), runLeaseTooShort(spec, { run: spec.run, target }, open)]).toEqual([target.name, [], undefined]);
  });

  it('are of each kind of queue', () => {
    expect(readdirSync(folder).toSorted()).toEqual(['batches.yaml', 'content-and-environment.yaml', 'pg-boss.yaml', 'rabbitmq.yaml', 'run-of-template.yaml', 'run-of-workflow.yaml', 'sqs.yaml']);
    expect(readdirSync(folder).map((file) => example(file).source.type).toSorted()).toEqual(['amqp', 'amqp', 'pgBoss', 'pgBoss', 'sqs', 'sqs', 'sqs']);
  });

  it('pass on a part of the body', () => {
    const spec = example('pg-boss.yaml');
    expect(env(spec, { invoice: 'R-7' }, { attempt: 2 })).toEqual({ INVOICE: { text: 'R-7' }, ATTEMPT: { text: '2' } });
    expect(valueChecker(spec.perMessage.schema ?? {})({ invoice: 7 })).toEqual({ part: '/properties/invoice/type' });
  });

  it('pass on a header, and say where dead messages go', () => {
    const spec = example('rabbitmq.yaml');
    expect(env(spec, null, { headers: { tenant: 'acme' } })).toEqual({ TENANT: { text: 'acme' } });
    expect(spec.perMessage.deadLetter).toEqual({ exchange: 'dead', routingKey: 'pictures' });
  });

  it('put messages into batches', () => {
    expect(example('batches.yaml')).toMatchObject({ mode: 'perBatch', batch: { size: 200, maxWait: 10_000 }, concurrency: { max: 5 }, perMessage: { retry: { attempts: 3 }, env: {} } });
  });

  it('pass on the body without a file', () => {
    expect(example('sqs.yaml').perMessage.payload).toEqual({ file: undefined, env: 'ORDER' });
  });

  it('pass on content, environment, issuer and checksum', () => {
    const spec = example('content-and-environment.yaml');
    const body: Json = { content: { tenant: 't7' }, environment: { LEVEL: 'debug' } };
    expect(env(spec, body)).toEqual({ ISSUER: { text: 'acme/tenants' }, MESSAGE: { text: '{"tenant":"t7"}' }, CHECKSUM: { text: 'ab' }, LEVEL: { text: 'debug' } });
    const check = valueChecker(spec.perMessage.schema ?? {});
    expect(check(body)).toBeUndefined();
    expect(check({ content: 'x' })).toEqual({ part: '/required', missing: 'environment' });
  });
});
