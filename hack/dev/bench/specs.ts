/** Specs of the bench, and the Jobs that job-chief makes of them, from the same code that makes them there. */
import { objectAt, stringAt, type Json, type JsonObject, isObject } from '../../../src/lib/json.ts';
import { drainBlueprint, drainJob } from '../../../src/plan/drain-job.ts';
import type { Claim } from '../../../src/plan/observed.ts';
import { defaultInstance, kindLabel, specKey } from '../../../src/spec/keys.ts';
import { parseSpec } from '../../../src/spec/parse.ts';
import { nameOf } from './requests.ts';

export const connection = 'main';

export interface QueueText {
  readonly name: string;
  readonly checkInterval: string;
  /** Of the simulated kubelet: how long each pod runs. */
  readonly runFor: string;
}

/** As large as users' Jobs are. */
export const workerJob = `job:
  image: registry.example.com/acme/worker:3.1
  command: [node, worker.js]
  args: [--batch, "10"]
  env:
    - {name: LOG_LEVEL, value: info}
    - {name: REGION, value: eu-central-1}
  resources:
    requests: {cpu: 100m, memory: 128Mi}
    limits: {memory: 256Mi}
`;

/** As long as users' specs are, so that parsing and caching cost what they cost there. */
export function specMap(namespace: string, { name, checkInterval, runFor }: QueueText): JsonObject {
  const text = `# yaml-language-server: $schema=https://example.com/queue.schema.json
apiVersion: job-chief/v1
kind: Queue
source:
  pgBoss: {connection: ${connection}, queue: ${name}}
drain:
  checkInterval: ${checkInterval}
retention:
  succeeded: {count: 100}
podMetadata:
  annotations:
    fake-kubelet/run-for: ${runFor}
${workerJob}timeout: 1h
`;
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { [kindLabel]: 'queue' } }, data: { [specKey]: text } };
}

/** The Job with the given sequence that job-chief would create for a stored ConfigMap. */
export function jobOf(configMap: JsonObject, sequence: number): JsonObject {
  const metadata = objectAt(configMap, 'metadata');
  const name = nameOf(configMap);
  const data = { [specKey]: stringAt(objectAt(configMap, 'data'), specKey) ?? '' };
  const parsed = parseSpec({ file: `configmap/${name}`, objectName: name, label: 'queue', data }, { connections: new Map([[connection, { type: 'pgBoss', injectable: false }]]) });
  if (parsed.spec?.kind !== 'Queue' || parsed.spec.mode !== 'drain') throw new Error(`the bench's own spec is wrong: ${parsed.problems.map(({ message }) => message).join('; ')}`);
  const source: Claim['source'] = { kind: 'configMap', name, uid: stringAt(metadata, 'uid') ?? '', createdAt: 0, deleting: false, writtenStatus: undefined, writtenState: undefined };
  const environment = { instance: defaultInstance, namespace: stringAt(metadata, 'namespace') ?? '', injection: () => undefined };
  return drainJob(drainBlueprint({ kind: 'queue', name }, parsed.spec, { source, parsed }, { pods: 1, environment }), sequence);
}

/** Whether all that `part` says stands in `whole`, which may say more (defaults of the API server). */
export function contains(whole: unknown, part: Json | undefined): boolean {
  if (Array.isArray(part)) return Array.isArray(whole) && whole.length === part.length && part.every((one, i) => contains(whole[i], one));
  if (!isObject(part)) return whole === part;
  return isObject(whole) && Object.entries(part).every(([key, value]) => contains(whole[key], value));
}
