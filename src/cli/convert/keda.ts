/** ScaledJobs of KEDA: a Queue with `drain` for each trigger. */
import { shown } from '../../lib/show.ts';
import { Draft } from './draft.ts';
import type { Converted, ConvertContext } from './format.ts';
import { problemOf, type Item } from './item.ts';
import { messagesPerJob, writeTrigger } from './keda-trigger.ts';
import { seconds, writeJob } from './kubernetes-job.ts';
import { writeObjectMetadata } from './object-metadata.ts';

/** What KEDA takes where a ScaledJob does not say it. */
const defaults = { pollingInterval: 30, maxReplicaCount: 100 } as const;

/** As job-chief's fields have them. */
const mostPods = 10_000;
const longestCheck = 86_400;

/** Fields of a ScaledJob without an equal, and why there is none. */
const noEqual: ReadonlyMap<string, string> = new Map(Object.entries({
  minReplicaCount: 'no Job is started without a message',
  scalingStrategy: 'one Job drains the queue, and its pods are as many as the messages ask for',
  rollout: 'an edit leaves a Job that runs alone; onSpecChange: replace ends it',
  rolloutStrategy: 'an edit leaves a Job that runs alone; onSpecChange: replace ends it',
  envSourceContainerName: "the connection is the operator's",
}));
const converted = new Set(['jobTargetRef', 'pollingInterval', 'maxReplicaCount', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit', 'triggers']);

/** One Queue for each trigger of each ScaledJob; TriggerAuthentications are told of where they are used. */
export function convertScaledJobs(objects: readonly Item[], { connection, all }: ConvertContext): Converted {
  const problems: Converted['problems'][number][] = [];
  const drafts = objects.flatMap((object) => {
    if (object.at('kind').text !== 'ScaledJob') return [];
    const triggers = object.at('spec', 'triggers').members();
    if (triggers.length === 0) problems.push(problemOf(object, 'MissingField', 'the ScaledJob has no triggers'));
    return triggers.map((trigger, index) => queueOf(object, trigger, { connection, all, index, several: triggers.length > 1 }));
  });
  return { drafts, problems };
}

interface QueueOptions extends Pick<ConvertContext, 'connection' | 'all'> {
  readonly index: number;
  readonly several: boolean;
}

function queueOf(object: Item, trigger: Item, { connection, all, index, several }: QueueOptions): Draft {
  const name = object.at('metadata', 'name').text ?? 'scaledjob';
  const draft = new Draft({ kind: 'Queue', name: several ? `${name}-${trigger.at('name').text ?? index + 1}` : name, source: object });
  writeObjectMetadata(draft, object);
  if (Object.keys({ ...draft.labels, ...draft.annotations }).length > 0) draft.remark([], 'KEDA put the labels and annotations of the ScaledJob on its Jobs as well; here jobMetadata and podMetadata do that.');
  const spec = object.at('spec');
  if (several) draft.remark([], `One of the triggers of ScaledJob ${name}, which KEDA made one number of: each has a Queue of its own now, and its Jobs.`);
  writeTrigger(draft, trigger, connection);
  tellAuthentication(draft, trigger.at('authenticationRef'), all);
  writeDrain(draft, spec, trigger);
  const paused = object.at('metadata', 'annotations', 'autoscaling.keda.sh/paused');
  if (paused.exists && paused.written !== 'false') draft.set(['suspend'], true, paused);
  for (const [field, outcome] of [['successfulJobsHistoryLimit', 'succeeded'], ['failedJobsHistoryLimit', 'failed']] as const) {
    const count = draft.count(spec.at(field));
    if (count !== undefined) draft.set(['retention', outcome, 'count'], count, spec.at(field));
  }
  for (const [field, item] of spec.fields().filter(([one, { value }]) => !converted.has(one) && value !== 0)) draft.remark([], `${field}: ${shown(item.value)} has no equal: ${noEqual.get(field) ?? 'KEDA knows no such field'}.`);
  writeWorker(draft, spec.at('jobTargetRef'));
  return draft;
}

function writeDrain(draft: Draft, spec: Item, trigger: Item): void {
  const interval = draft.count(spec.at('pollingInterval')) ?? defaults.pollingInterval;
  draft.set(['drain', 'checkInterval'], seconds(Math.min(Math.max(interval, 1), longestCheck)), spec.at('pollingInterval'));
  const max = Math.min(draft.count(spec.at('maxReplicaCount')) ?? defaults.maxReplicaCount, mostPods);
  draft.set(['drain', 'pods', 'max'], Math.max(max, 1), spec.at('maxReplicaCount'));
  draft.set(['drain', 'pods', 'messagesPerPod'], messagesPerJob(draft, trigger), trigger);
  draft.remark(['drain', 'pods'], 'KEDA started so many Jobs of one pod; this is one Job of so many pods. A worker that ended after one message must now fetch until none is left: see "What a worker has to do" in docs/queue.md.');
}

function writeWorker(draft: Draft, job: Item): void {
  writeJob({ draft, at: [], inQueue: true }, job.at('metadata'), job);
  const restartPolicy = ['jobTemplate', 'spec', 'template', 'spec', 'restartPolicy'];
  if (job.at('template', 'spec').exists && !job.at('template', 'spec', 'restartPolicy').exists) {
    draft.set(restartPolicy, 'OnFailure');
    draft.remark(restartPolicy, "KEDA's default.");
  }
}

/** Which Secret has the credentials, for whoever makes the connection. */
function tellAuthentication(draft: Draft, reference: Item, all: readonly Item[]): void {
  const name = reference.at('name').text;
  if (name === undefined) return;
  const found = all.find((object) => /^(Cluster)?TriggerAuthentication$/.test(object.at('kind').text ?? '') && object.at('metadata', 'name').text === name);
  const secrets = (found?.at('spec', 'secretTargetRef').members() ?? []).map((item) => `${item.at('parameter').text ?? ''} from key ${item.at('key').text ?? ''} of Secret ${item.at('name').text ?? ''}`);
  draft.remark(['source'], `TriggerAuthentication ${name}${secrets.length === 0 ? '' : `: ${secrets.join(', ')}`}: job-chief mounts the Secret of a connection, and the spec holds no credentials.`);
}
