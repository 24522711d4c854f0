/** The cluster as an administrator sees it: kubectl for what people do, plain requests for looking often. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { kubectlPath } from '../../../hack/dev/cluster/binaries.ts';
import type { Place } from './setup.ts';

export interface Metadata {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { kind: string; name: string; uid: string; controller?: boolean }[];
}
export interface ConfigMap { metadata: Metadata; data?: Record<string, string> }
export interface Job {
  metadata: Metadata;
  spec: { parallelism?: number; completions?: number; completionMode?: string; suspend?: boolean; activeDeadlineSeconds?: number; template: { spec: { containers: Container[]; initContainers?: Container[] } } };
  status: { conditions?: { type: string; status: string; reason?: string }[]; succeeded?: number; failed?: number; active?: number };
}
interface Container { name: string; image: string; resources?: { limits?: Record<string, string> }; env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } }[] }
interface ContainerStatus {
  name: string;
  restartCount: number;
  state?: { waiting?: { reason: string }; running?: object; terminated?: { exitCode: number; reason: string; message?: string; finishedAt: string } };
}
/** The container runs, or has run. */
export function hasStarted({ state }: ContainerStatus): boolean {
  return state?.running !== undefined || state?.terminated !== undefined;
}

export interface Pod {
  metadata: Metadata;
  status: { phase: string; podIP?: string; conditions?: { type: string; status: string }[]; containerStatuses?: ContainerStatus[]; initContainerStatuses?: ContainerStatus[] };
}
export interface Event { metadata: Metadata; type: string; reason: string; message: string; involvedObject: { kind: string; name: string } }

const api = { configmaps: '/api/v1', pods: '/api/v1', events: '/api/v1', jobs: '/apis/batch/v1' } as const;
interface Objects { configmaps: ConfigMap; pods: Pod; events: Event; jobs: Job }
export type Resource = keyof Objects;

/** Open until it is disposed of. */
export interface Forward extends AsyncDisposable {
  readonly url: string;
}

export class Kubernetes {
  readonly #place: Place;
  readonly #agent: Agent;

  constructor(place: Place) {
    this.#place = place;
    this.#agent = new Agent({ connect: { ca: readFileSync(place.caFile) }, bodyTimeout: 0 });
  }

  /** Runs kubectl; what it prints. Throws with its stderr. */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = execFile(kubectlPath(), ['--kubeconfig', this.#place.kubeconfig, ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        if (error) reject(new Error(`kubectl ${args.join(' ')}: ${stderr.trim() || stdout.trim() || error.message}`));
        else resolve(stdout);
      });
      child.stdin?.end(input ?? '');
    });
  }

  /** One GET from a pod's port. */
  async ask(namespace: string, pod: string, path: string): Promise<{ status: number; body: string }> {
    await using forward = await this.forward(namespace, `pod/${pod}`, 8080);
    const { statusCode, body } = await request(`${forward.url}${path}`, { reset: true });
    return { status: statusCode, body: await body.text() };
  }

  /** A way to a port of a pod or a Service, by `kubectl port-forward`: this machine has no route to pods. */
  async forward(namespace: string, target: string, port: number): Promise<Forward> {
    const child = spawn(kubectlPath(), ['--kubeconfig', this.#place.kubeconfig, '-n', namespace, 'port-forward', target, `:${port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'close');
    const stop = async (): Promise<void> => {
      child.kill();
      await ended;
    };
    try {
      const said = await Promise.race([once(child.stdout, 'data'), ended.then(() => { throw new Error(`no port-forward to ${target}`); })]);
      return { url: `http://127.0.0.1:${/127\.0\.0\.1:(\d+)/.exec(String(said[0]))?.[1] ?? ''}`, [Symbol.asyncDispose]: stop };
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async list<R extends Resource>(resource: R, namespace: string, labels = ''): Promise<{ items: Objects[R][]; resourceVersion: string }> {
    const { statusCode, body } = await this.#get(`${this.#path(resource, namespace)}?labelSelector=${encodeURIComponent(labels)}`);
    if (statusCode !== 200) throw new Error(`list ${resource}: ${statusCode} ${await body.text()}`);
    const list = (await body.json()) as { items: Objects[R][]; metadata: { resourceVersion: string } };
    return { items: list.items, resourceVersion: list.metadata.resourceVersion };
  }

  /** One watch from a version on, until it ends or is aborted. */
  async *watch<R extends Resource>(resource: R, namespace: string, from: string, signal: AbortSignal): AsyncGenerator<{ type: string; object: Objects[R] }> {
    const { statusCode, body } = await this.#get(`${this.#path(resource, namespace)}?watch=true&resourceVersion=${from}`, signal);
    if (statusCode !== 200) throw new Error(`watch ${resource}: ${statusCode} ${await body.text()}`);
    let rest = '';
    for await (const chunk of body.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as { type: string; object: Objects[R] };
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #get(path: string, signal?: AbortSignal): ReturnType<typeof request> {
    return request(`${this.#place.server}${path}`, { dispatcher: this.#agent, headers: { authorization: `Bearer ${this.#place.token}` }, signal: signal ?? null });
  }

  #path(resource: Resource, namespace: string): string {
    return `${api[resource]}/namespaces/${namespace}/${resource}`;
  }
}
