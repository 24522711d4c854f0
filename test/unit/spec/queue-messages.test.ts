import { describe, expect, it } from 'vitest';
import { unlimited } from '../../../src/spec/common.ts';
import type { SpecEnvironment } from '../../../src/spec/parsed.ts';
import type { MessageQueueSpec, PerMessageSpec } from '../../../src/spec/queue.ts';
import { aQueue, codes, parse, validQueue } from './input.ts';

const sqs = 'source: {sqs: {connection: main, queue: orders}}';
const amqp = 'source: {amqp: {connection: main, queue: orders}}';

function aMessageQueue(...lines: readonly string[]): MessageQueueSpec {
  const spec = validQueue(aQueue(...lines));
  if (spec.mode !== 'perMessage') throw new Error(`the mode is ${spec.mode}`);
  return spec;
}

const perMessage = (fields: string, ...lines: readonly string[]): PerMessageSpec => aMessageQueue(`perMessage: {${fields}}`, ...lines).perMessage;
/** `message | hint` of the only problem. */
function told(...lines: readonly string[]): string {
  const { problems } = parse(aQueue(...lines));
  return problems.map(({ code, path, message, hint }) => `${code} ${path ?? ''}: ${message} | ${hint ?? ''}`).join('\n');
}

describe('a Queue with a Job for each message', () => {
  it('has all defaults', () => {
    expect(aMessageQueue('perMessage: {}')).toMatchObject({ kind: 'Queue', concurrency: { max: 10 }, startTimeout: 900_000, timeout: undefined });
    expect(perMessage('')).toEqual({
      settle: 'onCompletion',
      payload: { file: '/job-chief/message', env: undefined },
      env: {},
      schema: undefined,
      retry: { attempts: 1, within: undefined, delay: 10_000, factor: 2, maxDelay: 300_000, exitCodes: undefined, onOOM: undefined },
      deadLetter: undefined,
      waitAfter: { notStarted: 120_000, refused: 30_000 },
    });
  });

  const fields: readonly [what: string, fields: string, expected: object, ...lines: string[]][] = [
    ['is told when the Job exists', 'settle: onJobCreated', { settle: 'onJobCreated' }],
    ['may go without a file', 'payload: {file: off, env: BODY}', { payload: { file: undefined, env: 'BODY' } }],
    ['takes false for off', 'payload: {file: false}', { payload: { file: undefined, env: undefined } }],
    ['has its file elsewhere', 'payload: {file: /in/order.json}', { payload: { file: '/in/order.json', env: undefined } }],
    ['may name the default path', 'payload: {file: /job-chief/message}', { payload: { file: '/job-chief/message' } }],
    ['keeps the order of its variables', 'env: {B: $(message.id), A: x}', { env: { B: '$(message.id)', A: 'x' } }],
    ['keeps a schema as it is', 'schema: {type: object, default: {}}', { schema: { type: 'object', default: {} } }],
    ['fills what retry leaves out', 'retry: {delay: 1s}', { retry: { attempts: 1, delay: 1_000, factor: 2 } }],
    ['has attempts', 'retry: {attempts: 4, exitCodes: {retry: [75]}}', { retry: { attempts: 4, exitCodes: { retry: [75] } } }],
    ['has a queue for dead messages', 'deadLetter: {queue: dead}', { deadLetter: { queue: 'dead' } }],
    ['has an exchange for dead messages', 'deadLetter: {exchange: dead}', { deadLetter: { exchange: 'dead', routingKey: '' } }, amqp],
    ['leaves dead messages to the queue', 'deadLetter: {policy: true}', { deadLetter: undefined }, amqp],
    ['waits as told', 'waitAfter: {refused: 1s}', { waitAfter: { notStarted: 120_000, refused: 1_000 } }],
  ];
  it.each(fields)('%s', (_, text, expected, ...lines) => {
    expect(perMessage(text, ...lines)).toMatchObject(expected);
  });

  it('has as many Jobs at once as it says', () => {
    expect(aMessageQueue('perMessage: {}', 'concurrency: {max: 1}').concurrency.max).toBe(1);
    expect(aMessageQueue('perMessage: {}', 'concurrency: {max: unlimited, group: g}').concurrency).toEqual({ max: unlimited, group: 'g', priority: 0 });
  });
});

describe('the source of a Queue', () => {
  /** For fields that mean nothing where nothing is leased. */
  const leasing = 'perMessage: {deadLetter: {policy: true}}';
  const rows: readonly [what: string, line: string, expected: object, ...lines: string[]][] = [
    ['is a queue of RabbitMQ', amqp, { type: 'amqp', connection: 'main', queue: 'orders', vhost: undefined, declare: undefined, messageId: undefined }],
    ['is declared', 'source: {amqp: {connection: main, queue: q, vhost: v, declare: {}}}', { type: 'amqp', connection: 'main', queue: 'q', vhost: 'v', declare: { type: 'quorum', deadLetterExchange: undefined, deadLetterRoutingKey: undefined }, messageId: undefined }, leasing],
    ['knows messages by a header', 'source: {amqp: {connection: main, queue: q, messageId: {header: x-id}}}', { messageId: { header: 'x-id' } }, leasing],
    ['knows messages by a property', 'source: {amqp: {connection: main, queue: q, messageId: {property: correlation_id}}}', { messageId: { property: 'correlation_id' } }, leasing],
    ['knows messages by their bodies', 'source: {amqp: {connection: main, queue: q, messageId: bodyHash}}', { messageId: 'bodyHash' }, leasing],
    ['does not know messages', 'source: {amqp: {connection: main, queue: q, messageId: none}}', { messageId: 'none' }, leasing],
    ['is a queue of SQS', sqs, { type: 'sqs', connection: 'main', queue: 'orders', url: undefined }],
    ['is a URL that ends in the name', 'source: {sqs: {connection: main, url: "http://localhost:4566/000000000000/orders.fifo"}}', { type: 'sqs', connection: 'main', queue: 'orders.fifo', url: 'http://localhost:4566/000000000000/orders.fifo' }],
  ];
  it.each(rows)('%s', (_, line, expected, ...lines) => {
    expect(validQueue(aQueue(line, ...lines)).source).toMatchObject(expected);
  });

  it.each([
    ['of SQS without a queue', 'source: {sqs: {connection: main}}', ['MissingField source.sqs.queue']],
    ['of SQS with a name that is none', 'source: {sqs: {connection: main, queue: a.b}}', ['InvalidValue source.sqs.queue']],
    ['of SQS with a URL that is none', 'source: {sqs: {connection: main, url: "sqs://a/b"}}', ['InvalidValue source.sqs.url']],
    ['of RabbitMQ with a name that is too long', `source: {amqp: {connection: main, queue: ${'a'.repeat(256)}}}`, ['InvalidValue source.amqp.queue']],
    ['with two ways to know messages', 'source: {amqp: {connection: main, queue: q, messageId: {header: a, property: message_id}}}', ['InvalidValue source.amqp.messageId'], leasing],
    ['that is no mapping', 'source: pgBoss', ['WrongType source']],
  ] as readonly [what: string, line: string, expected: string[], ...lines: string[]][])('is none %s', (_, line, expected, ...lines) => {
    expect(codes(parse(aQueue(line, ...lines)))).toEqual(expected);
  });

  it('says nothing of leasing where job-chief only counts', () => {
    const counted = (field: string): string => told(`source: {amqp: {connection: main, queue: q, ${field}}}`);
    expect(counted('declare: {}')).toBe('ConflictingFields source.amqp.declare: "declare" means nothing with drain: job-chief counts the messages and declares no queue | let the workers declare it, or use perMessage');
    expect(counted('messageId: none')).toBe('ConflictingFields source.amqp.messageId: "messageId" means nothing with drain: job-chief counts the messages and takes none of them | remove it, or use perMessage');
  });
});

describe('the connection of a source', () => {
  const connections: SpecEnvironment['connections'] = new Map([
    ['main', { type: 'pgBoss', injectable: false }],
    ['rabbit', { type: 'amqp', injectable: true }],
  ]);
  const check = (...lines: readonly string[]): string[] => parse(aQueue(...lines), {}, { connections }).problems.map(({ code, path, message, hint }) => `${code} ${path ?? ''}: ${message} | ${hint ?? ''}`);

  it('is of the kind of the source', () => {
    expect(check('source: {amqp: {connection: rabbit, queue: q}}')).toEqual([]);
    expect(check(amqp)).toEqual(['ConnectionType source.amqp.connection: the connection "main" is of type pgBoss, which amqp cannot use | name a connection of type amqp']);
    expect(check('source: {sqs: {connection: rabbit, queue: q}}')).toEqual(['ConnectionType source.sqs.connection: the connection "rabbit" is of type amqp, which sqs cannot use | name a connection of type sqs']);
  });

  it('is one of those that there are', () => {
    expect(check('source: {amqp: {connection: rabit, queue: q}}')).toEqual(['UnknownConnection source.amqp.connection: there is no connection "rabit" | did you mean "rabbit"?']);
  });
});

describe('problems of a Queue with a Job for each message', () => {
  it.each<[what: string, lines: readonly string[], text: string]>([
    ['says where dead messages of RabbitMQ go', [amqp, 'perMessage: {}'], 'MissingField perMessage.deadLetter: RabbitMQ drops messages that fail, unless something says where they go: "deadLetter" is required | name a queue: deadLetter: {queue: NAME}; where a policy of the server gives the queue a dead-letter exchange write deadLetter: {policy: true}'],
    ['is not told of retries that nobody makes', ['perMessage: {settle: onJobCreated, retry: {attempts: 2}}'], `ConflictingFields perMessage.retry: "retry" does not go with "settle: onJobCreated": the queue is told before the Job has ended, and what becomes of the Job is not looked at | remove one of the two; backoffLimit of the Job is Kubernetes' own way to try again`],
    ['has exchanges with RabbitMQ only', [sqs, 'perMessage: {deadLetter: {exchange: dead}}'], 'ConflictingFields perMessage.deadLetter.exchange: "exchange" is for source.amqp: sqs has no exchanges | name a queue'],
    ['sends dead messages elsewhere', ['perMessage: {deadLetter: {queue: thumbnails}}'], 'ConflictingFields perMessage.deadLetter.queue: "thumbnails" is the queue itself: its dead messages would come again at once | name another queue'],
    ['knows its queue by the URL too', ['source: {sqs: {connection: main, url: "https://h/1/orders"}}', 'perMessage: {deadLetter: {queue: orders}}'], 'ConflictingFields perMessage.deadLetter.queue: "orders" is the queue itself: its dead messages would come again at once | name another queue'],
    ['sends dead messages to what SQS can call a queue', [sqs, 'perMessage: {deadLetter: {queue: a.b}}'], 'InvalidValue perMessage.deadLetter.queue: must be the name of a queue of SQS: 1 to 80 letters, digits, "-" and "_", of a FIFO queue with .fifo at the end, is "a.b" | '],
    ['has a routing key for an exchange', [amqp, 'perMessage: {deadLetter: {queue: a, routingKey: b}}'], 'ConflictingFields perMessage.deadLetter.routingKey: "routingKey" is for an exchange, and none is named | add exchange, or remove it'],
    ['has one place for dead messages', ['perMessage: {deadLetter: {}}'], `MissingField perMessage.deadLetter.queue: one of "queue", "exchange" and "policy" is required | queue names a queue of the same connection, exchange one of RabbitMQ, policy: true leaves it to the queue's own policy`],
    ['keeps off the paths of job-chief', ['perMessage: {payload: {file: /x/../job-chief/item}}'], 'ReservedName perMessage.payload.file: "/x/../job-chief/item" is at or under /job-chief, where job-chief mounts its own files | leave it out, which is /job-chief/message, or choose another path'],
    ['sees its file', ['perMessage: {payload: {file: /data/x}}', 'job: {image: x, volumeMounts: [{name: a, mountPath: /data/x/y}]}'], 'ConflictingFields perMessage.payload.file: a container mounts a volume at "/data/x/y", which hides the file "/data/x" | leave it out, which is /job-chief/message, or choose a path outside of all mounts'],
    ['gives a variable one value', ['perMessage: {payload: {env: A}, env: {A: x}}'], 'ConflictingFields perMessage.payload.env: the environment variable "A" is set by perMessage.env as well | give one of the two another name'],
    ['leaves the variables of job-chief alone', ['perMessage: {env: {JOB_CHIEF_OUTPUT: x}}'], 'ReservedName perMessage.env.JOB_CHIEF_OUTPUT: the environment variable "JOB_CHIEF_OUTPUT" is set by job-chief or Kubernetes and must not be set here | use another name'],
    ['refers to messages where it can', ['perMessage: {}', 'job: {image: x, args: [$(message.id)]}'], 'UnknownReference job.args[0]: $(message.id) is not replaced here: references to the message stand in perMessage.env | write perMessage: {env: {NAME: $(message.id)}}, and use the environment variable: $(NAME) in command, args and env'],
    ['has no parameters', ['perMessage: {env: {A: $(params.a)}}'], 'UnknownReference perMessage.env.A: $(params.a) names nothing: a Queue has no parameters, steps, items or runs | references to the message are for perMessage.env; where the text itself must reach the container write $$(params.a)'],
    ['has a schema that is one', ['perMessage: {schema: {type: strin}}'], 'InvalidValue perMessage.schema.type: this is no JSON Schema: it must be equal to one of the allowed values (array, boolean, integer, null, number, object, string) | '],
    ['has a schema whose references lead somewhere', ['perMessage: {schema: {$ref: "#/$defs/x"}}'], `InvalidValue perMessage.schema: the schema cannot be used: can't resolve reference #/$defs/x from id # | a "$ref" leads to a definition in the same schema, such as "#/$defs/NAME"`],
    ['has a schema of the version that is known', ['perMessage: {schema: {$schema: "http://json-schema.org/draft-07/schema#"}}'], 'InvalidValue perMessage.schema["$schema"]: the schema is of "http://json-schema.org/draft-07/schema#", and only that of 2020-12 is known | remove it, or write https://json-schema.org/draft/2020-12/schema'],
    ['has a schema that answers at once', ['perMessage: {schema: {$async: true}}'], 'InvalidValue perMessage.schema["$async"]: "$async" is no keyword of JSON Schema | remove it'],
    ['has regular expressions that are some', ['perMessage: {schema: {properties: {pattern: {patternProperties: {"(": {}}}}}}'], 'InvalidValue perMessage.schema.properties.pattern.patternProperties["("]: "(" is no regular expression: unterminated group | '],
  ])('it %s', (_, lines, text) => {
    expect(told(...lines)).toBe(text);
  });

  it('drops nothing where RabbitMQ keeps dead messages, or was told before', () => {
    expect(told('source: {amqp: {connection: main, queue: q, declare: {deadLetterExchange: dead}}}', 'perMessage: {}')).toBe('');
    expect(told(amqp, 'perMessage: {settle: onJobCreated}')).toBe('');
    expect(told(amqp, 'drain: {}')).toBe('');
  });

  it('may have several pods for one message, which a Queue with drain may not', () => {
    const job = 'job: {image: x, parallelism: 2, completions: 2}';
    expect(told('perMessage: {}', job)).toBe('');
    expect(codes(parse(aQueue('drain: {}', job)))).toEqual(['RefusedField job.parallelism', 'RefusedField job.completions']);
    expect(codes(parse(aQueue('jobTemplate: {spec: {completions: 2, template: {spec: {containers: [{name: a, image: b}]}}}}')))).toEqual(['RefusedField jobTemplate.spec.completions']);
  });

  it('does not see values that the message gives', () => {
    expect(codes(parse(aQueue('perMessage: {env: {A: x}, payload: {env: B}}', 'job: {image: x, env: [{name: A, value: a}, {name: B, value: b}]}')))).toEqual(['EnvOverridden job.env[0].name', 'EnvOverridden job.env[1].name']);
    expect(codes(parse(aQueue(amqp, 'perMessage: {deadLetter: {queue: dead}, env: {AMQP_HOST: x}}', 'injectConnection: true')))).toEqual(['ReservedName perMessage.env.AMQP_HOST']);
  });
});
