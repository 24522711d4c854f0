/**
 * What the Kubernetes contract runs against, and the little client that its cases speak. The cases play the kubelet
 * themselves, by writing pod statuses: so they need an API server and a controller-manager, and nothing else.
 */
import { expect } from 'vitest';
import type { ApiRequest, ApiResponse, Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { type Clock, sleep } from '../../../src/lib/clock.ts';
import { arrayAt, isObject, type Json, type JsonObject, objectAt, stringAt } from '../../../src/lib/json.ts';

export interface Subject {
  readonly transport: Transport;
  readonly namespace: string;
  readonly clock: Clock;
  /** Sets the hard limits of a ResourceQuota and waits until they hold; undefined takes them away. */
  setQuota(hard: Readonly<Record<string, string>> | undefined): Promise<void>;
}

/** Runs a case to its end: at once on a real cluster, by moving the clock in a simulation. */
export interface Bench {
  run(work: (subject: Subject) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export interface WatchLine {
  readonly type: string;
  readonly object: JsonObject;
}

const types: Readonly<Record<string, { root: string; apiVersion: string; kind: string }>> = {
  configmaps: { root: '/api/v1', apiVersion: 'v1', kind: 'ConfigMap' },
  secrets: { root: '/api/v1', apiVersion: 'v1', kind: 'Secret' },
  pods: { root: '/api/v1', apiVersion: 'v1', kind: 'Pod' },
  events: { root: '/api/v1', apiVersion: 'v1', kind: 'Event' },
  jobs: { root: '/apis/batch/v1', apiVersion: 'batch/v1', kind: 'Job' },
  leases: { root: '/apis/coordination.k8s.io/v1', apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
};

/** Requests by short names. Names of objects are made unique per case, so cases may share a namespace. */
export class Api {
  readonly subject: Subject;
  readonly #suffix: string;

  constructor(subject: Subject, suffix: string) {
    this.subject = subject;
    this.#suffix = suffix;
  }

  name(base: string): string {
    return `${base}-${this.#suffix}`;
  }

  /** A label that selects the objects of this case only. */
  get mark(): Record<string, string> {
    return { case: this.#suffix };
  }

  path(plural: string, name?: string): string {
    const { root } = types[plural] ?? { root: '' };
    return `${root}/namespaces/${this.subject.namespace}/${plural}${name === undefined ? '' : `/${name}`}`;
  }

  send(request: ApiRequest): Promise<ApiResponse> {
    return this.subject.transport.request(request);
  }

  post(plural: string, body: JsonObject, query: Record<string, string> = {}): Promise<ApiResponse> {
    const { apiVersion, kind } = types[plural] ?? { apiVersion: '', kind: '' };
    const metadata = objectAt(body, 'metadata');
    const labels = { ...objectAt(metadata, 'labels'), ...this.mark };
    return this.send({ method: 'POST', path: this.path(plural), query, body: { apiVersion, kind, ...body, metadata: { ...metadata, labels } } });
  }

  async created(plural: string, body: JsonObject): Promise<JsonObject> {
    const answer = await this.post(plural, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.body as JsonObject;
  }

  get(plural: string, name: string): Promise<ApiResponse> {
    return this.send({ method: 'GET', path: this.path(plural, name) });
  }

  patch(plural: string, name: string, body: JsonObject, query: Record<string, string> = {}): Promise<ApiResponse> {
    return this.send({ method: 'PATCH', path: this.path(plural, name), query, body, contentType: 'application/merge-patch+json' });
  }

  delete(plural: string, name: string, options: JsonObject = {}): Promise<ApiResponse> {
    return this.send({ method: 'DELETE', path: this.path(plural, name), body: { apiVersion: 'v1', kind: 'DeleteOptions', ...options } });
  }

  list(plural: string, query: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<ApiResponse> {
    return this.send({ method: 'GET', path: this.path(plural), query: { labelSelector: `case=${this.#suffix}`, ...query }, headers });
  }

  async items(plural: string, query: Record<string, string> = {}): Promise<JsonObject[]> {
    return arrayAt((await this.list(plural, query)).body, 'items').filter(isObject);
  }

  async names(plural: string, query: Record<string, string> = {}): Promise<string[]> {
    return (await this.items(plural, query)).map((item) => stringAt(objectAt(item, 'metadata'), 'name') ?? '');
  }

  pods(): Promise<JsonObject[]> {
    return this.items('pods');
  }

  /** Reads until the answer is as wanted; times are generous, since a real machine may be slow. */
  async until<T>(what: string, read: () => Promise<T | undefined>, limit = 80_000): Promise<T> {
    const end = this.subject.clock.monotonic() + limit;
    for (;;) {
      const value = await read();
      if (value !== undefined) return value;
      if (this.subject.clock.monotonic() > end) throw new Error(`did not come true: ${what}`);
      await this.pass(50);
    }
  }

  pass(milliseconds: number): Promise<void> {
    return sleep(this.subject.clock, milliseconds);
  }

  gone(plural: string, name: string, limit?: number): Promise<true> {
    return this.until(`${plural}/${name} is gone`, async () => ((await this.get(plural, name)).status === 404 ? true : undefined), limit);
  }

  /** The Job when it carries this condition with status True. */
  condition(name: string, type: string, limit?: number): Promise<JsonObject> {
    return this.until(`${name} is ${type}`, async () => {
      const { body } = await this.get('jobs', name);
      return hasCondition(body, type) ? (body as JsonObject) : undefined;
    }, limit);
  }

  somePods(count: number): Promise<JsonObject[]> {
    return this.until(`${count} pods`, async () => {
      const pods = await this.pods();
      return pods.length === count ? pods : undefined;
    });
  }

  /** Plays the kubelet: this pod ended, with this exit code. */
  async endPod(pod: JsonObject, exitCode: number, more: JsonObject = {}): Promise<void> {
    // The back-off before a replacement counts from here.
    const now = `${new Date(this.subject.clock.now()).toISOString().slice(0, 19)}Z`;
    const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: now, finishedAt: now };
    const status = {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      containerStatuses: [{ name: 'main', image: 'work', imageID: '', ready: false, started: false, restartCount: 0, state: { terminated }, lastState: {} }],
      ...more,
    };
    const answer = await this.patch('pods', `${nameOf(pod)}/status`, { status });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  }

  /** Plays the kubelet: the containers have stopped, the object may go. */
  removePod(pod: JsonObject): Promise<ApiResponse> {
    return this.delete('pods', nameOf(pod), { gracePeriodSeconds: 0 });
  }

  /** Lines of a watch as they come; `stop` ends it. */
  async watch(plural: string, query: Record<string, string>, headers: Record<string, string> = {}): Promise<{ lines: WatchLine[]; status: number; stop: () => void; ended: () => boolean }> {
    const stream = await this.subject.transport.stream({ method: 'GET', path: this.path(plural), query: { watch: 'true', labelSelector: `case=${this.#suffix}`, ...query }, headers });
    const lines: WatchLine[] = [];
    let ended = false;
    const read = async (): Promise<void> => {
      for await (const line of stream.lines) lines.push({ type: stringAt(line, 'type') ?? '', object: objectAt(line, 'object') });
    };
    void read().catch(() => undefined).then(() => { ended = true; });
    return { lines, status: stream.status, stop: () => { stream.close(); }, ended: () => ended };
  }
}

export function nameOf(object: Json): string {
  return stringAt(objectAt(object, 'metadata'), 'name') ?? '';
}

export function uidOf(object: Json): string {
  return stringAt(objectAt(object, 'metadata'), 'uid') ?? '';
}

export function versionOf(object: Json): string {
  return stringAt(objectAt(object, 'metadata'), 'resourceVersion') ?? '';
}

export function conditions(job: Json): string[] {
  return arrayAt(objectAt(job, 'status'), 'conditions').filter((condition) => stringAt(condition, 'status') === 'True').map((condition) => stringAt(condition, 'type') ?? '');
}

export function hasCondition(job: Json, type: string): boolean {
  return conditions(job).includes(type);
}

/** A Job whose pods nobody runs: they wait on a node that does not exist, so that deleting them takes a kubelet. */
export function jobManifest(api: Api, base: string, spec: JsonObject = {}, pod: JsonObject = {}): JsonObject {
  const template = { metadata: { labels: api.mark }, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }], ...pod } };
  return { metadata: { name: api.name(base) }, spec: { backoffLimit: 0, template, ...spec } };
}

/** Pods of this recipe count as taken by a node: they stay until somebody plays its kubelet. */
export const onNode: JsonObject = { nodeName: 'contract-node', terminationGracePeriodSeconds: 12 };

export function owner(configMap: JsonObject, uid = uidOf(configMap)): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: nameOf(configMap), uid, controller: true };
}
