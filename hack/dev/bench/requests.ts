/** Requests of the bench itself, and many of them at once. */
import { isObject, numberAt, objectAt, stringAt, arrayAt, type JsonObject } from '../../../src/lib/json.ts';
import type { ApiRequest, Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { sleep, type Progress } from '../cluster/progress.ts';

export const jobsPath = (namespace: string): string => `/apis/batch/v1/namespaces/${namespace}/jobs`;
export const configMapsPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;
export const podsPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
const eventsPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/events`;

/** Throws unless the API server says yes. */
export async function ask(transport: Transport, request: ApiRequest): Promise<JsonObject> {
  const { status, body } = await transport.request(request);
  if (status >= 300 || !isObject(body)) throw new Error(`${request.method} ${request.path}: ${status} ${stringAt(body, 'message') ?? ''}`);
  return body;
}

/** Calls `run` for each item, `width` at once; the first error ends it. */
export async function inParallel<Item>(items: readonly Item[], width: number, run: (item: Item) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await run(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

export async function createAll(transport: Transport, path: string, manifests: readonly JsonObject[]): Promise<void> {
  await inParallel(manifests, 32, (body) => ask(transport, { method: 'POST', path, body }));
}

export async function makeNamespace(transport: Transport, name: string): Promise<void> {
  await ask(transport, { method: 'POST', path: '/api/v1/namespaces', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });
}

export async function listAll(transport: Transport, path: string): Promise<readonly unknown[]> {
  return arrayAt(await ask(transport, { method: 'GET', path }), 'items');
}

/** Jobs, their pods and the Events of the namespace are gone when it resolves: never while the controller manager is stopped, which has to let pods go. `say`: is told how many are left, every five seconds. */
export async function clear(transport: Transport, namespace: string, say?: Progress): Promise<void> {
  await deleteAll(transport, [jobsPath(namespace), podsPath(namespace), eventsPath(namespace)], say);
}

/** The same of Jobs alone, which nobody has to let go. */
export async function clearJobs(transport: Transport, namespace: string, say?: Progress): Promise<void> {
  await deleteAll(transport, [jobsPath(namespace)], say);
}

async function deleteAll(transport: Transport, paths: readonly string[], say?: Progress): Promise<void> {
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', gracePeriodSeconds: 0 };
  const counts = (): Promise<readonly (readonly [string, number])[]> => Promise.all(paths.map(async (path) => [path, await patiently(() => countOf(transport, path))] as const));
  const remove = (path: string): Promise<unknown> => patiently(() => ask(transport, { method: 'DELETE', path, body: options }));
  const tell = (left: readonly (readonly [string, number])[]): void => say?.(`    to be deleted: ${left.map(([path, count]) => `${count} ${path.split('/').at(-1) ?? ''}`).join(', ')}`);
  const telling = setInterval(() => void counts().then(tell, () => undefined), 5000);
  try {
    for (let left = await counts(); left.some(([, count]) => count > 0); left = await counts()) {
      for (const [path] of left.filter(([, count]) => count > 0)) await remove(path);
      await sleep(300);
    }
  } finally {
    clearInterval(telling);
  }
}

/** A server that is busy deleting thousands of objects cuts connections: what may be asked twice is asked again, ten times at most. */
async function patiently<Answer>(request: () => Promise<Answer>): Promise<Answer> {
  for (let left = 10; left > 0; left -= 1) {
    try {
      return await request();
    } catch {
      await sleep(1000);
    }
  }
  return await request();
}

async function countOf(transport: Transport, path: string): Promise<number> {
  const list = await ask(transport, { method: 'GET', path, query: { limit: '1' } });
  return arrayAt(list, 'items').length + (numberAt(objectAt(list, 'metadata'), 'remainingItemCount') ?? 0);
}

export function nameOf(object: unknown): string {
  return stringAt(objectAt(object, 'metadata'), 'name') ?? '';
}
