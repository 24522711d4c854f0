/** The formats, and which document is of which. */
import { isObject } from '../../lib/json.ts';
import { convertCronJobs } from './cron-job.ts';
import { convertEventJobs } from './event-job.ts';
import type { Format } from './format.ts';
import type { Item } from './item.ts';
import { convertJobernetes } from './jobernetes.ts';
import { convertJobsJson } from './jobs-json.ts';
import { convertK8sJobs, definitionKeys } from './k8s-jobs.ts';
import { convertScaledJobs } from './keda.ts';
import { convertRequests } from './kube-job-runner.ts';
import { readText } from './source-document.ts';

/** As `--from` names them. */
export const formatNames = ['jobs.json', 'jobernetes', 'k8s-jobs', 'kubernetes-event-job', 'kube-job-runner', 'cronjob', 'keda'] as const;
/** One of them. */
export type FormatName = (typeof formatNames)[number];

/** A document whose members are looked at: the document itself, where it is no list. */
const firstOf = (document: Item): Item => document.members()[0] ?? document;
const has = (item: Item, ...names: readonly string[]): boolean => names.every((name) => item.at(name).exists);
const isKind = (item: Item, pattern: RegExp): boolean => pattern.test(item.at('kind').text ?? '');

/** All of them. */
export const formats: Readonly<Record<FormatName, Format>> = {
  'jobs.json': { recognises: (document) => has(firstOf(document), 'queueName'), convert: convertJobsJson },
  jobernetes: { recognises: (document) => has(document, 'jobernetes'), convert: convertJobernetes },
  'k8s-jobs': {
    recognises: (document) => {
      if (isKind(document, /^ConfigMap$/)) return definitionKeys.some((key) => document.at('data', key).exists);
      const [first] = document.members();
      return first !== undefined && has(first, 'name') && ['spec', 'spec_path', 'spec_config_map_name'].some((field) => has(first, field));
    },
    convert: convertK8sJobs,
  },
  'kubernetes-event-job': { recognises: isEventJobs, convert: convertEventJobs },
  'kube-job-runner': { recognises: (document) => has(firstOf(document), 'image', 'tag') && !has(firstOf(document), 'kind'), convert: convertRequests },
  cronjob: { recognises: (document) => isKind(document, /^CronJob$/), convert: convertCronJobs },
  keda: { recognises: (document) => isKind(document, /^(ScaledJob|(Cluster)?TriggerAuthentication)$/), convert: convertScaledJobs },
};

/** A ConfigMap whose every value is a mapping with the settings of a queue. */
function isEventJobs(document: Item): boolean {
  if (!isKind(document, /^ConfigMap$/)) return false;
  const values = document.at('data').fields();
  return values.length > 0 && values.every(([, { text }]) => text !== undefined && /^(jobName|image):/m.test(text) && readText({ file: '', text }).documents.some(({ value }) => isObject(value) && 'image' in value));
}

/** The format of a document; undefined: none of them. */
export function formatOf(document: Item): FormatName | undefined {
  return formatNames.find((name) => formats[name].recognises(document));
}
