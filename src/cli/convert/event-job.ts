/**
 * The configuration of kubernetes-event-job: a ConfigMap whose keys are queues of RabbitMQ. One Queue for each, with a
 * Job per message.
 */
import { isObject, type Json } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import { Draft } from './draft.ts';
import type { Converted, ConvertContext } from './format.ts';
import { Item, problemOf } from './item.ts';
import { escapeReferences, seconds } from './kubernetes-job.ts';
import { readText } from './source-document.ts';

/** What the service took where the configuration did not say it. */
const defaults = {
  parallelism: 10,
  timeout: 3_600,
  backoffLimit: 5,
  /** Seconds that a finished Job stayed. */
  ttl: 21_600,
  resources: { requests: { cpu: '10m', memory: '56Mi' }, limits: { cpu: '25m', memory: '96Mi' } },
} as const;

/** The name of the Job, by the label that the Job controller gives to its pods. */
const targetEnv: Json = { name: 'TARGET', valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-name']" } } };

const known = ['jobName', 'image', 'imageVersion', 'registry', 'parallelism', 'interval', 'timeout', 'environment', 'serviceAccount', 'namespace', 'labels', 'resources'];

/** One Queue for each key. */
export function convertEventJobs(documents: readonly Item[], { connection }: ConvertContext): Converted {
  const problems: Converted['problems'][number][] = [];
  const drafts = documents.flatMap((document) => {
    const data = document.at('kind').text === 'ConfigMap' ? document.at('data') : document;
    return data.fields().flatMap(([queue, item]) => {
      const settings = settingsIn(item);
      problems.push(...settings.problems);
      return settings.item ? [queueOf(queue, settings.item, { connection, document })] : [];
    });
  });
  return { drafts, problems };
}

/** The value of a data key is YAML; in a file of its own it may be the mapping itself. */
function settingsIn(item: Item): { readonly item?: Item; readonly problems: Converted['problems'] } {
  if (isObject(item.value)) return { item, problems: [] };
  if (item.text === undefined) return { problems: [problemOf(item, 'WrongType', `a queue must have settings, has ${shown(item.value)}`)] };
  const { documents, problems } = readText({ file: item.document.file, text: item.text, place: item.document.inside(item.path), words: true });
  const [document] = documents;
  if (document && isObject(document.value)) return { item: Item.of(document), problems };
  return { problems: problems.length > 0 ? problems : [problemOf(item, 'WrongType', 'the settings of a queue must be a mapping with image and jobName')] };
}

function queueOf(queue: string, item: Item, { connection, document }: { readonly connection: string; readonly document: Item }): Draft {
  const draft = new Draft({ kind: 'Queue', name: queue, source: item });
  draft.namespace = item.at('namespace').text ?? document.at('metadata', 'namespace').text;
  draft.set(['source', 'amqp'], { connection, queue, messageId: 'none' }, item);
  draft.remark(['source', 'amqp', 'connection'], 'Was AMQP_HOST of the service: the operator makes a connection of this name, of type amqp.');
  draft.remark(['source', 'amqp', 'messageId'], 'As before, a message that comes again gets another Job. Where publishers set message_id, take this line away: then a message has one Job, however often it comes.');
  draft.set(['perMessage'], { settle: 'onJobCreated', env: { ISSUER: 'goci/kubernetes-event-job', MESSAGE: '$(message.body.content)', CHECKSUM: '$(message.sha256)' } });
  draft.remark(['perMessage', 'settle'], 'As before, a message is acknowledged when its Job exists. Without this line that happens when the Job has succeeded; then say in deadLetter where messages go whose Job failed.');
  draft.remark(['perMessage', 'env'], 'Was a Secret with ISSUER, TARGET, MESSAGE, CHECKSUM and the environment of the message. MESSAGE was JSON, also of a text (with its quotes); CHECKSUM was SHA-1 over namespace, name and content. Of the environment of the message name what you need, such as LEVEL: $(message.body.environment.LEVEL); a message without it is invalid then.');
  const most = item.at('parallelism');
  const max = most.value === 'unlimited' ? 'unlimited' : (draft.count(most) ?? defaults.parallelism);
  draft.set(['concurrency', 'max'], max, most);
  if (item.at('interval').exists) draft.remark(['source'], `interval: ${shown(item.at('interval').value)} has no equal: the broker pushes messages.`);
  draft.set(['timeout'], seconds(draft.count(item.at('timeout')) ?? defaults.timeout), item.at('timeout'));
  draft.remark(['timeout'], 'Was for all attempts of a Job together.');
  draft.set(['retention'], { succeeded: { age: seconds(defaults.ttl) }, failed: { age: seconds(defaults.ttl) } });
  writePod(draft, item);
  for (const [name, other] of item.fields().filter(([field]) => !known.includes(field))) draft.remark([], `${name}: ${shown(other.value)} was unknown to the service, and had no effect.`);
  return draft;
}

function writePod(draft: Draft, item: Item): void {
  const image = draft.requiredText(item.at('image'));
  const version = item.at('imageVersion').written ?? 'latest';
  const registry = draft.text(item.at('registry'));
  draft.set(['job', 'image'], image === undefined ? undefined : `${registry === undefined ? '' : `${registry}/`}${image}:${version}`, item.at('image'));
  if (registry === undefined) draft.remark(['job', 'image'], 'The service put DOCKER_REGISTRY before it, where that was set: write it out.');
  if (item.at('jobName').exists) draft.remark(['job'], `jobName: ${shown(item.at('jobName').value)} was the prefix of the Jobs' names; now that is the name of this spec.`);
  draft.set(['job', 'restartPolicy'], 'OnFailure');
  draft.set(['job', 'backoffLimit'], defaults.backoffLimit);
  draft.set(['job', 'serviceAccountName'], draft.text(item.at('serviceAccount')), item.at('serviceAccount'));
  draft.set(['job', 'env'], [...environmentOf(draft, item.at('environment')), targetEnv], item.at('environment'));
  const { requests, limits } = defaults.resources;
  draft.set(['job', 'resources'], { requests: item.at('resources', 'requests').value ?? requests, limits: item.at('resources', 'limits').value ?? limits }, item.at('resources'));
  if (!item.at('resources').exists) draft.remark(['job', 'resources'], 'The defaults of the service.');
  for (const [key, label] of item.at('labels').fields()) {
    for (const metadata of ['jobMetadata', 'podMetadata']) draft.set([metadata, 'labels', key], label.value, label);
  }
}

/** The documentation said a mapping, the program wanted a list. */
function environmentOf(draft: Draft, item: Item): Json[] {
  const escaped = (value: Json | undefined): Json => (typeof value === 'string' ? escapeReferences(value) : (value ?? ''));
  if (isObject(item.value)) return item.fields().map(([name, { written }]) => ({ name, value: escaped(written) }));
  if (item.exists && !Array.isArray(item.value)) draft.complain(item, 'WrongType', `environment must be a list of {name, value}, is ${shown(item.value)}`);
  return item.members().map(({ value }) => (isObject(value) && 'value' in value ? { ...value, value: escaped(value['value']) } : (value ?? null)));
}
