/** Rules of `perBatch` that a schema cannot say. They read the raw value, as those of queue-rules.ts. */
import { arrayAt, objectAt, stringAt, type JsonObject } from '../lib/json.ts';
import { jobParts } from './job-parts.ts';
import type { Finding } from './report.ts';

/** The Job has a pod for each message, and each of them is tried once: what says otherwise, and what to write instead. */
const indexFields: Readonly<Record<string, string>> = {
  completions: 'remove it: there is one for each message',
  completionMode: 'remove it: the Job is an Indexed one',
  successPolicy: 'remove it: each message is settled by its own pod',
  backoffLimit: 'use perBatch.retry, which tries a message again in another batch',
  backoffLimitPerIndex: 'use perBatch.retry, which tries a message again in another batch',
  maxFailedIndexes: 'remove it: a message that fails ends no other',
};

/** Everything about the Job of a batch. */
export function batchFindings(spec: JsonObject): Finding[] {
  if (!Object.hasOwn(spec, 'perBatch')) return [];
  const { job, pod } = jobParts(spec);
  const given = Object.entries(indexFields).filter(([field]) => Object.hasOwn(job?.value ?? {}, field));
  const fields = given.map(([field, hint]): Finding => ({ code: 'ConflictingFields', message: `"${field}" does not go with "perBatch", which decides how many pods there are`, path: [...(job?.path ?? []), field], part: 'key', hint }));
  return [...fields, ...restartFindings(pod), ...policyFindings(job)];
}

type Part = ReturnType<typeof jobParts>['job'];

/** Kubernetes limits the attempts of an index only where its pods are not started again in place. */
function restartFindings(pod: Part): Finding[] {
  const policy = stringAt(pod?.value, 'restartPolicy');
  if (policy === undefined || policy === 'Never') return [];
  return [{ code: 'ConflictingFields', message: `restartPolicy must be Never with "perBatch", is ${JSON.stringify(policy)}`, path: [...(pod?.path ?? []), 'restartPolicy'], hint: 'remove it; perBatch.retry tries a message again' }];
}

/** One message would end all others. */
function policyFindings(job: Part): Finding[] {
  return arrayAt(objectAt(job?.value, 'podFailurePolicy'), 'rules').flatMap((rule, index): Finding[] => {
    if (stringAt(rule, 'action') !== 'FailJob') return [];
    return [{ code: 'ConflictingFields', message: '"FailJob" does not go with "perBatch": one message would end the pods of all others', path: [...(job?.path ?? []), 'podFailurePolicy', 'rules', index, 'action'], hint: 'write FailIndex' }];
  });
}
