/**
 * An API server for one namespace, at the level of HTTP: what it answers, in which order, and what watches see. Each
 * request takes some virtual milliseconds to arrive and as long to be answered; its effect happens in between, at once.
 */
import type { ApiRequest, ApiResponse, ApiStream, Transport } from '../adapters/kubernetes/transport.ts';
import { asError } from '../lib/clock.ts';
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../lib/json.ts';
import { type Attributes, forbiddenByRbac, reviewAccess, verbOf } from './access.ts';
import type { VirtualClock } from './clock.ts';
import { checkDecoding } from './decoding.ts';
import { ApiFailure, badRequest, notFound } from './failure.ts';
import { mergePatch } from './merge-patch.ts';
import type { ContainerOutput } from './container-output.ts';
import { asPod } from './job-shape.ts';
import { type LogStream, podLog } from './log-stream.ts';
import { copy, type KubeObject, type Meta } from './objects.ts';
import type { Random } from './random.ts';
import { Reader } from './reader.ts';
import { deleteOptions, type Registry } from './registry.ts';
import { parseRoute, type Route } from './route.ts';

export interface ApiServerDeps {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly namespace: string;
  readonly registry: Registry;
  /** Milliseconds one way, drawn for each request. */
  readonly latency: (random: Random) => number;
  /** What the caller's Role grants. */
  readonly allows: (attributes: Attributes) => boolean;
  /** What a container has written; undefined: nothing yet, or in no `previous` life. */
  readonly output: (uid: string, container: string, previous: boolean) => ContainerOutput | undefined;
}

/** Errors as Node reports them when nothing answers. */
export function connectionError(code: 'ECONNREFUSED' | 'ECONNRESET'): Error {
  return Object.assign(new Error(code === 'ECONNREFUSED' ? 'connect ECONNREFUSED' : 'socket hang up'), { code });
}

export class ApiServer implements Transport {
  readonly #deps: ApiServerDeps;
  readonly #reader: Reader;
  readonly #logs = new Set<LogStream>();
  #available = true;
  #requests = 0;

  constructor(deps: ApiServerDeps) {
    this.#deps = deps;
    this.#reader = new Reader(deps);
  }

  /** Requests that arrived, watches included: an idle controller makes none but watches. */
  get requests(): number {
    return this.#requests;
  }

  get openWatches(): number {
    return this.#reader.openWatches;
  }

  /** Takes the server down (connections are refused, watches break) or brings it back. */
  setAvailable(available: boolean): void {
    this.#available = available;
    if (available) return;
    this.#reader.breakWatches(connectionError('ECONNRESET'));
    for (const log of this.#logs) log.end(connectionError('ECONNRESET'));
    this.#logs.clear();
  }

  request(request: ApiRequest): Promise<ApiResponse> {
    return this.#exchange(request, () => this.answer(request));
  }

  stream(request: ApiRequest): Promise<ApiStream> {
    return this.#exchange(request, () => this.#open(request));
  }

  /** The effect and the answer of a request, without any time passing. */
  answer(request: ApiRequest): ApiResponse {
    this.#requests += 1;
    try {
      return this.#dispatch(request);
    } catch (error) {
      if (error instanceof ApiFailure) return { status: error.code, headers: { 'content-type': 'application/json', ...error.headers }, body: error.status };
      throw error;
    }
  }

  #exchange<T extends Pick<ApiResponse, 'headers'>>(request: ApiRequest, effect: () => T): Promise<T> {
    const { clock, random, latency } = this.#deps;
    const { signal } = request;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(asError(signal.reason));
        return;
      }
      // Aborting does not undo: what was sent may still take effect, exactly as on a real connection.
      const abort = (): void => { reject(asError(signal?.reason)); };
      signal?.addEventListener('abort', abort, { once: true });
      const settle = (delay: number, run: () => void): void => {
        clock.timer(delay, () => {
          signal?.removeEventListener('abort', abort);
          run();
        });
      };
      clock.quietTimer(latency(random), () => {
        if (!this.#available) {
          settle(1, () => { reject(connectionError('ECONNREFUSED')); });
          return;
        }
        const result = effect();
        // Go writes the time, cut to seconds, when it starts to answer: clients can tell the server's clock from it.
        const headers = { ...result.headers, date: new Date(clock.now()).toUTCString() };
        settle(latency(random), () => { resolve({ ...result, headers }); });
      });
    });
  }

  #open(request: ApiRequest): ApiStream {
    this.#requests += 1;
    const route = parseRoute(request.path);
    try {
      if (!route) throw pathNotFound();
      this.#authorize(request, route);
      if (route.subresource === 'log') return this.#log(request, route);
      const watch = this.#reader.watch(route, request.query ?? {}, request.headers ?? {});
      const close = (): void => { watch.end(); };
      request.signal?.addEventListener('abort', () => { watch.end(asError(request.signal?.reason)); }, { once: true });
      return { status: 200, headers: { 'content-type': 'application/json' }, lines: watch.lines, close };
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      return { status: error.code, headers: { 'content-type': 'application/json', ...error.headers }, lines: once(error.status), close: () => undefined };
    }
  }

  #log(request: ApiRequest, route: Route): ApiStream {
    const { registry, clock, latency, random, output } = this.#deps;
    const pod = registry.store.get(route.resource, nameIn(route));
    if (!pod) throw notFound({ resource: route.resource, name: nameIn(route) });
    const stream = podLog({ clock, latency: () => latency(random), output: (container, previous) => output(pod.metadata.uid, container, previous) }, asPod(pod), request.query ?? {});
    request.signal?.addEventListener('abort', () => { stream.end(asError(request.signal?.reason)); }, { once: true });
    this.#logs.add(stream);
    return { status: 200, headers: { 'content-type': 'text/plain' }, lines: stream.pieces, close: () => { stream.end(); } };
  }

  #dispatch(request: ApiRequest): ApiResponse {
    const review = reviewAccess(request, this.#deps.allows);
    if (review) return ok(201, review);
    if (request.path === '/version') return ok(200, { major: '1', minor: '36', gitVersion: 'v1.36.3' });
    if (request.path === '/readyz' || request.path === '/livez') return ok(200, 'ok');
    const route = parseRoute(request.path);
    if (!route) throw pathNotFound();
    this.#authorize(request, route);
    switch (request.method) {
      case 'GET': return ok(200, this.#reader.read(route, request.query ?? {}, request.headers ?? {}));
      case 'POST': return ok(201, this.#create(route, request));
      case 'PATCH': return this.#patch(route, request);
      case 'DELETE': return this.#delete(route, request);
    }
  }

  #authorize(request: ApiRequest, route: Route): void {
    const attributes: Attributes = { verb: verbOf(request, route), group: route.resource.group, resource: route.resource.plural, subresource: route.subresource, name: route.name, namespace: route.namespace };
    if (route.namespace !== this.#deps.namespace || !this.#deps.allows(attributes)) throw forbiddenByRbac(attributes, this.#deps.namespace);
  }

  #create(route: Route, request: ApiRequest): KubeObject {
    if (!isObject(request.body)) throw badRequest('the request body is not an object');
    checkDecoding(route.resource, request.body, isStrict(request));
    return this.#deps.registry.create(route.resource, request.body, isDryRun(request));
  }

  #patch(route: Route, request: ApiRequest): ApiResponse {
    const { registry } = this.#deps;
    const name = nameIn(route);
    const body = request.body;
    if (!isObject(body)) throw badRequest('the request body is not an object');
    const isApply = request.contentType?.includes('apply-patch') ?? false;
    if (isApply && !registry.store.get(route.resource, name)) return ok(201, this.#applyNew(route, body, isDryRun(request)));
    const patch = copy(route.subresource === 'status' ? { status: body['status'] ?? null, metadata: objectAt(body, 'metadata') } : body);
    return ok(200, registry.update(route.resource, name, (object) => patched(object, patch), isDryRun(request)));
  }

  /** Server-side apply is an upsert; measured: with a UID in it, it answers 409 when the object is gone. */
  #applyNew(route: Route, body: JsonObject, dryRun: boolean): KubeObject {
    const uid = stringAt(objectAt(body, 'metadata'), 'uid');
    if (uid !== undefined) {
      throw new ApiFailure(409, 'Conflict', `Operation cannot be fulfilled on ${route.resource.plural} "${nameIn(route)}": uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
    }
    return this.#deps.registry.create(route.resource, { ...body, metadata: { ...objectAt(body, 'metadata'), name: nameIn(route) } }, dryRun);
  }

  #delete(route: Route, request: ApiRequest): ApiResponse {
    const { resource } = route;
    const name = nameIn(route);
    const { object, gone } = this.#deps.registry.delete(resource, name, deleteOptions(request.body, request.query ?? {}));
    if (!gone || resource.kind === 'Pod') return ok(200, object);
    // Measured: an object that is gone at once is answered by a Status without a resourceVersion.
    const details = { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural, uid: object.metadata.uid };
    return ok(200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
  }
}

function patched(object: KubeObject, patch: JsonObject): KubeObject {
  const next = mergePatch(object, patch) as KubeObject;
  // Nobody sets these through a patch; the server keeps its own.
  const { deletionTimestamp, generation } = object.metadata;
  const kept = { ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }), ...(generation === undefined ? {} : { generation }) };
  const metadata: Meta = { ...next.metadata, ...kept };
  return { ...next, apiVersion: object.apiVersion, kind: object.kind, metadata };
}

function nameIn(route: Route): string {
  if (route.name === undefined) throw new ApiFailure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
  return route.name;
}

function isDryRun(request: ApiRequest): boolean {
  return request.query?.['dryRun'] === 'All';
}

function isStrict(request: ApiRequest): boolean {
  return request.query?.['fieldValidation'] === 'Strict';
}

function ok(status: number, body: Json): ApiResponse {
  return { status, headers: { 'content-type': 'application/json' }, body };
}

function pathNotFound(): ApiFailure {
  return new ApiFailure(404, 'NotFound', 'the server could not find the requested resource');
}

async function* once(document: Json): AsyncGenerator<Json> {
  yield await Promise.resolve(document);
}

