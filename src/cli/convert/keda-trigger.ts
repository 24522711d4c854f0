/** Triggers of KEDA that look at a queue: where its messages wait, and how many go to a pod. */
import { shown } from '../../lib/show.ts';
import type { Draft } from './draft.ts';
import type { Item } from './item.ts';

/** Settings of a trigger that are converted, by its type. */
const converted: Readonly<Record<string, readonly string[]>> = {
  postgresql: ['query', 'targetQueryValue'],
  rabbitmq: ['queueName', 'vhostName', 'mode', 'value', 'queueLength'],
  'aws-sqs-queue': ['queueURL', 'queueLength'],
};

/** Types of triggers that have an equal. */
export const triggerTypes: readonly string[] = Object.keys(converted);

/** Settings that say how to reach the queue: the operator's connection has them now. */
const ofConnection = /^(host|port|userName|dbName|sslmode|protocol|connection|password|username|hostFromEnv|connectionFromEnv|passwordFromEnv|usernameFromEnv|awsRegion|awsEndpoint|identityOwner|tls|unsafeSsl|amqpAuth)/;

/** Writes `source` and `messagesPerPod`; complains where the trigger looks at something else. */
export function writeTrigger(draft: Draft, trigger: Item, connection: string): void {
  const metadata = trigger.at('metadata');
  const type = trigger.at('type').text ?? '';
  switch (type) {
    case 'postgresql':
      writePgBoss(draft, metadata, connection);
      break;
    case 'rabbitmq':
      writeRabbit(draft, metadata, connection);
      break;
    case 'aws-sqs-queue':
      draft.set(['source', 'sqs'], { connection, url: draft.requiredText(metadata.at('queueURL')) }, metadata.at('queueURL'));
      break;
    default:
      draft.complain(trigger.at('type'), 'InvalidValue', `the trigger ${shown(type)} has no equal: job-chief looks at queues`, { hint: `triggers with an equal: ${triggerTypes.join(', ')}` });
      return;
  }
  tellConnection(draft, metadata);
  for (const [name, item] of trigger.fields().filter(([field]) => !['type', 'name', 'metadata', 'authenticationRef'].includes(field))) draft.remark(['source'], `${name}: ${shown(item.value)} has no equal.`);
}

/** How many messages a Job was for, by KEDA's name for it in this trigger. */
export function messagesPerJob(draft: Draft, trigger: Item): number | undefined {
  const metadata = trigger.at('metadata');
  const field = trigger.at('type').text === 'postgresql' ? 'targetQueryValue' : metadata.at('queueLength').exists ? 'queueLength' : 'value';
  const count = draft.count(metadata.at(field));
  return count === undefined || count <= 1 ? undefined : count;
}

/** The tables of pg-boss are `job` and its partitions; a query on others counts something else. */
function writePgBoss(draft: Draft, metadata: Item, connection: string): void {
  const item = metadata.at('query');
  const query = draft.requiredText(item);
  if (query === undefined) return;
  const table = /\bfrom\s+(?:"?([A-Za-z_][\w$]*)"?\s*\.\s*)?"?(job(?:_common)?)"?(?![\w"])/i.exec(query);
  const queue = /(?<!\w)"?name"?\s*=\s*'((?:[^']|'')+)'/i.exec(query)?.[1]?.replaceAll("''", "'");
  if (!table || queue === undefined) {
    draft.complain(item, 'InvalidValue', 'the query does not count the messages of one queue of pg-boss', { hint: "job-chief counts by itself what is ready in a pg-boss queue: SELECT … FROM pgboss.job WHERE name = 'QUEUE'. Work in other tables has to go through a queue" });
    return;
  }
  const schema = table[1] ?? 'pgboss';
  draft.set(['source', 'pgBoss'], { connection, queue, ...(schema === 'pgboss' ? {} : { schema }) }, item);
  draft.remark(['source', 'pgBoss', 'queue'], `Was ${query.replace(/\s+/g, ' ').trim()}. job-chief counts what a worker could fetch now.`);
}

function writeRabbit(draft: Draft, metadata: Item, connection: string): void {
  const vhost = draft.text(metadata.at('vhostName'));
  draft.set(['source', 'amqp'], { connection, queue: draft.requiredText(metadata.at('queueName')) ?? '', ...(vhost === undefined ? {} : { vhost }) }, metadata.at('queueName'));
  const mode = metadata.at('mode').text;
  if (mode !== undefined && mode !== 'QueueLength') draft.remark(['source'], `mode: ${mode} has no equal: it is the messages that are ready which count.`);
}

/** Also a URL with a password in it. */
function isSecret(name: string, text: string): boolean {
  return /password$/i.test(name) || /[@]|password=/i.test(text);
}

/** Credentials are never repeated, only named. */
function tellConnection(draft: Draft, metadata: Item): void {
  const fields = metadata.fields();
  const reach = fields.filter(([name]) => ofConnection.test(name));
  const shownFields = reach.map(([name, { written = '' }]) => (isSecret(name, written) ? name : `${name}: ${written}`));
  if (shownFields.length > 0) draft.remark(['source'], `Reached by ${shownFields.join(', ')}: of this the operator makes the connection named below, see docs/configuration.md.`);
  const others = fields.filter(([name]) => !ofConnection.test(name) && !Object.values(converted).some((names) => names.includes(name)));
  for (const [name, { value }] of others) draft.remark(['source'], `${name}: ${shown(value)} has no equal: one ready message is enough.`);
}
