/** `jobs.json` of job-chief's predecessor: a list of queues, each with its pod. One Queue for each. */
import { formatDuration, parseDuration } from '../../lib/duration.ts';
import { isObject, type Json } from '../../lib/json.ts';
import { nearest } from '../../lib/nearest.ts';
import { parseQuantity } from '../../lib/quantity.ts';
import { shown } from '../../lib/show.ts';
import type { FieldPath } from '../../spec/field-path.ts';
import { injectedEnv, reservedMetadataOwner } from '../../spec/job-rules.ts';
import { Draft } from './draft.ts';
import type { Converted, ConvertContext } from './format.ts';
import { problemOf, type Item } from './item.ts';
import { escapeReferences, valueOf } from './kubernetes-job.ts';

/** Waits and limits: their field, the shortest and the longest that it takes. */
const durations: readonly (readonly [name: string, path: FieldPath, shortest: string])[] = [
  ['queueCheckInterval', ['drain', 'checkInterval'], '1s'],
  ['waitTimeAfterSuccessfulRun', ['drain', 'waitAfter', 'succeeded'], '0s'],
  ['waitTimeAfterFailedRun', ['drain', 'waitAfter', 'failed'], '0s'],
  ['waitTimeAfterTimeout', ['drain', 'waitAfter', 'notStarted'], '0s'],
  ['waitTimeAfterError', ['drain', 'waitAfter', 'refused'], '0s'],
  ['jobStartTimeout', ['startTimeout'], '1s'],
];
const longest = '24h';

const entryFields = ['queueName', 'podConfig', ...durations.map(([name]) => name)];
const podFields = ['parallelism', 'image', 'pullPolicy', 'injectPgConfig', 'liveness', 'command', 'args', 'env', 'configmaps', 'secrets', 'annotations', 'resources'];

/** One Queue for each entry of each list; an entry may stand alone, too. */
export function convertJobsJson(documents: readonly Item[], { connection }: ConvertContext): Converted {
  const entries = documents.flatMap((document) => (Array.isArray(document.value) ? document.members() : [document]));
  const wrong = entries.filter(({ value }) => !isObject(value));
  const first = new Map<string, Item>();
  const drafts = entries.filter((entry) => !wrong.includes(entry)).map((entry) => {
    const draft = queue(entry, connection);
    const name = entry.at('queueName').text ?? '';
    if (first.has(name)) draft.complain(entry.at('queueName'), 'NameTaken', `another entry has the queue ${shown(name)} too`, { hint: 'keep one of the two' });
    else first.set(name, entry);
    return draft;
  });
  return { drafts, problems: wrong.map((entry) => problemOf(entry, 'WrongType', `an entry must be a mapping with queueName and podConfig, is ${shown(entry.value)}`)) };
}

function queue(entry: Item, connection: string): Draft {
  const name = entry.at('queueName');
  const draft = new Draft({ kind: 'Queue', name: name.text ?? 'queue', source: entry });
  const queueName = draft.requiredText(name);
  draft.set(['source', 'pgBoss'], { connection, ...(queueName === undefined ? {} : { queue: queueName }) }, name);
  draft.remark(['source', 'pgBoss', 'connection'], 'Was the database of the service (db.*): the operator makes a connection of this name, see docs/configuration.md. With a db.schema of its own add schema.');
  const pod = entry.at('podConfig');
  if (!isObject(pod.value)) {
    draft.complain(pod.exists ? pod : entry, 'MissingField', 'there is no "podConfig"', { hint: 'its fields once stood beside queueName: put them into podConfig' });
    return draft;
  }
  draft.set(['drain'], {});
  const pods = draft.count(pod.at('parallelism'));
  if (pods !== undefined && pods !== 1) draft.set(['drain', 'pods'], { min: pods, max: pods }, pod.at('parallelism'));
  if (pods !== undefined && pods > 1) draft.remark(['drain', 'pods'], `Was always ${pods} pods (parallelism); with min: 1 and messagesPerPod there are as many as the depth of the queue asks for.`);
  for (const [field, path, shortest] of durations) writeDuration(draft, entry.at(field), path, shortest);
  if (entry.at('waitTimeAfterError').exists) draft.remark(['drain', 'waitAfter', 'refused'], 'waitTimeAfterError was also for pods that could not start; those now wait as notStarted says. These waits grow with repetition, up to breaker.probeEvery.');
  writePod(draft, pod);
  tellUnknown(draft, entry, [], entryFields);
  tellUnknown(draft, pod, ['job'], podFields);
  return draft;
}

function writeDuration(draft: Draft, item: Item, path: FieldPath, shortest: string): void {
  const given = draft.requiredText(item, 'all waits and limits had to be there');
  const value = given === undefined ? undefined : parseDuration(given);
  if (given !== undefined && value === undefined) draft.complain(item, 'InvalidDuration', `${shown(given)} is no duration`, { hint: 'a whole number with d, h, m or s, such as 90s' });
  if (given === undefined || value === undefined) return;
  const bounded = Math.min(Math.max(value, parseDuration(shortest) ?? 0), parseDuration(longest) ?? 0);
  draft.set(path, bounded === value ? given : formatDuration(bounded), item);
  if (bounded !== value) draft.remark(path, `Was ${given}; job-chief takes from ${shortest} to ${longest}.`);
}

function writePod(draft: Draft, pod: Item): void {
  draft.set(['job', 'image'], draft.requiredText(pod.at('image')), pod.at('image'));
  draft.set(['job', 'imagePullPolicy'], draft.text(pod.at('pullPolicy')), pod.at('pullPolicy'));
  for (const field of ['command', 'args']) draft.set(['job', field], valueOf({ draft }, pod.at(field), ['spec', 'template', 'spec', 'containers', 0, field]), pod.at(field));
  writeEnv(draft, pod);
  writeResources(draft, pod.at('resources'));
  writeLiveness(draft, pod.at('liveness'));
  for (const [key, item] of pod.at('annotations').fields()) {
    const owner = reservedMetadataOwner(key);
    if (owner === undefined) draft.set(['jobMetadata', 'annotations', key], item.value, item);
    else draft.remark([], `The annotation ${key} was left out: it belongs to ${owner}.`);
  }
  if (draft.flag(pod.at('injectPgConfig')) !== true) return;
  draft.set(['injectConnection'], true, pod.at('injectPgConfig'));
  draft.remark(['injectConnection'], 'DB_* as before, the password by reference to the Secret. The operator must have marked the connection injectable.');
}

function writeEnv(draft: Draft, pod: Item): void {
  const set = ['QUEUE_NAME', ...(pod.at('injectPgConfig').value === true ? injectedEnv.pgBoss : [])];
  const env: Json[] = [];
  for (const item of pod.at('env').members()) {
    const name = draft.requiredText(item.at('name'));
    const value = draft.text(item.at('value'));
    if (name !== undefined && set.includes(name)) draft.remark(['job'], `${name} was left out of env: job-chief sets it.`);
    else if (name !== undefined) env.push({ name, value: escapeReferences(value ?? '') });
  }
  if (env.length > 0) draft.set(['job', 'env'], env, pod.at('env'));
  const sources = [...pod.at('configmaps').members().map((item) => ['configMapRef', item] as const), ...pod.at('secrets').members().map((item) => ['secretRef', item] as const)];
  const from = sources.map(([field, item]): Json => ({ [field]: { name: draft.requiredText(item) } }));
  if (from.length > 0) draft.set(['job', 'envFrom'], from);
}

/** `128mi` stands in the old documentation, and is no quantity. */
function writeResources(draft: Draft, resources: Item): void {
  for (const [kind, amounts] of resources.fields()) {
    for (const [resource, item] of amounts.fields()) {
      const given = typeof item.value === 'number' ? String(item.value) : draft.text(item);
      const mended = given === undefined || parseQuantity(given) !== undefined ? given : given.replace(/^(\d+(?:\.\d+)?)([kmgtpe])i?b?$/i, (_all, amount: string, unit: string) => `${amount}${unit.toUpperCase()}i`);
      draft.set(['job', 'resources', kind, resource], mended, item);
      if (mended !== given) draft.remark(['job', 'resources', kind, resource], `Was ${given ?? ''}, which is no quantity.`);
    }
  }
}

function writeLiveness(draft: Draft, liveness: Item): void {
  if (draft.flag(liveness.at('enabled')) !== true) return;
  const number = (field: string): number | undefined => draft.count(liveness.at(field));
  const probe = { initialDelaySeconds: number('initialDelaySeconds'), periodSeconds: number('periodSeconds'), timeoutSeconds: number('timeoutSeconds') };
  const given = Object.fromEntries(Object.entries(probe).filter(([, value]) => value !== undefined));
  const port = number('port');
  if (port === undefined) draft.complain(liveness, 'MissingField', 'liveness has no "port"');
  else draft.set(['job', 'livenessProbe'], { httpGet: { path: draft.text(liveness.at('path')) ?? '/', port }, ...given }, liveness);
}

/** They passed silently, so they never had an effect. */
function tellUnknown(draft: Draft, mapping: Item, path: FieldPath, known: readonly string[]): void {
  for (const [name, item] of mapping.fields().filter(([field]) => !known.includes(field))) {
    const guess = nearest(name, known);
    draft.remark(path, `${name}: ${shown(item.value)} was unknown to the predecessor, too, and had no effect${guess === undefined ? '' : `: was ${guess} meant?`}`);
  }
}
