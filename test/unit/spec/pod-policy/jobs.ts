/** Jobs and policies to judge. */
import type { JsonObject } from '../../../../src/lib/json.ts';
import { pathText } from '../../../../src/spec/field-path.ts';
import { policyFindings, type JobContext } from '../../../../src/spec/pod-policy/check.ts';
import { podPolicyFrom, type PodPolicy } from '../../../../src/spec/pod-policy/policy.ts';

/** What an operator wrote, and a job-chief that runs under `job-chief` and has the connection Secret `main-db`. */
export function aPolicy(written: JsonObject = {}): PodPolicy {
  return podPolicyFrom(written, { connectionSecrets: ['main-db'], ownServiceAccount: 'job-chief' });
}

/** A Job of one container. */
export function aJob(pod: JsonObject = {}, container: JsonObject = {}, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'a', namespace: 'etl', labels: {}, annotations: {} },
    spec: { backoffLimit: 0, template: { metadata: { labels: {}, ...metadata }, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'ghcr.io/acme/app:1', ...container }], ...pod } } },
  };
}

/** Where it says no, and which key does: `spec.hostNetwork always`, counted from the pod's template. */
export function told(job: JsonObject, policy: PodPolicy = aPolicy(), context: JobContext = {}): string[] {
  return policyFindings(job, policy, context).map(({ path, key }) => `${pathText(path).replace(/^spec\.template\./, '')} ${key ?? 'always'}`);
}
