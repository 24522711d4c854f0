/** What job-chief can ask of the API server, in one namespace, on raw JSON. Answers are values: nothing here rejects. */
import { arrayAt, isObject, objectAt, stringAt } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ReadResult, WriteResult } from '../../reconcile/ports.ts';
import { failureOf, noAnswer, readResult, writeResult } from './api-error.ts';
import type { ApiFailure } from './api-error.ts';
import { within } from './deadline.ts';
import { describe, Exchange } from './exchange.ts';
import type { Answer, Call, ClientMeter } from './exchange.ts';
import { pathOf, pods } from './resources.ts';
import type { Resource } from './resources.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import type { ApiRequest, ApiStream, Transport } from './transport.ts';

export interface ClientOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly namespace: string;
  readonly fieldManager: string;
  /** Default 50 a second, 100 at once; `off` where the server's own flow control is enough. */
  readonly limits?: { readonly qps: number; readonly burst: number } | 'off';
  /** Milliseconds for one attempt; default 15 s. */
  readonly timeout?: number;
  readonly meter?: ClientMeter;
}

/** Options of a list; without a `limit` it is one page. Never a resourceVersion: what is listed is what is. */
export interface ListQuery {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number;
  readonly continue?: string | undefined;
  /** PartialObjectMetadata instead of whole objects. */
  readonly metadataOnly?: boolean | undefined;
  readonly signal?: AbortSignal;
  /** `first`: others wait for it. */
  readonly priority?: 'first';
}
export type ListResult = { readonly kind: 'page'; readonly page: ListPage } | { readonly kind: 'failed'; readonly failure: ApiFailure };
export interface ListPage {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  readonly continue: string | undefined;
}

export interface WatchQuery {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly metadataOnly?: boolean | undefined;
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  /** Ends the opening. Whoever got the stream ends it by `close`. */
  readonly signal: AbortSignal;
}
/** See `PodLog`, which reads it. */
export interface PodLogQuery {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  /** RFC 3339; the kubelet looks at whole seconds. */
  readonly sinceTime?: string | undefined;
  /** Ends the opening. Whoever got the stream ends it by `close`. */
  readonly signal: AbortSignal;
}
export type WatchResult = { readonly kind: 'stream'; readonly stream: ApiStream } | { readonly kind: 'failed'; readonly failure: ApiFailure };

const partial = (kind: string): Record<string, string> => ({ accept: `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json` });
/** All that is read of what was written: to send the whole object back would cost both sides as much as the write. */
const answersMetadata = partial('PartialObjectMetadata');

export class KubernetesClient {
  readonly namespace: string;
  readonly #exchange: Exchange;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    const { transport, clock, meter, limits = { qps: 50, burst: 100 }, timeout = 15_000 } = options;
    this.namespace = options.namespace;
    this.#options = options;
    this.#exchange = new Exchange({ transport, clock, meter, timeout, limiter: limits === 'off' ? undefined : new TokenBucket(clock, limits) });
  }

  async get(resource: Resource, name: string, options: CallOptions = {}): Promise<ReadResult<JsonObject>> {
    const request: ApiRequest = { method: 'GET', path: pathOf(resource, this.namespace, name) };
    const answer = await this.#exchange.send(called({ request, harmless: true }, options));
    return answer.kind === 'none' ? { kind: 'failed', message: answer.failure.message, forbidden: false } : readResult(answer.response);
  }

  async list(resource: Resource, query: ListQuery = {}): Promise<ListResult> {
    const request: ApiRequest = {
      method: 'GET',
      path: pathOf(resource, this.namespace),
      query: given({
        labelSelector: query.labelSelector,
        fieldSelector: query.fieldSelector,
        limit: query.limit === undefined ? undefined : String(query.limit),
        continue: query.continue,
      }),
      ...(query.metadataOnly === true ? { headers: partial('PartialObjectMetadataList') } : {}),
      ...(query.signal ? { signal: query.signal } : {}),
      ...(query.priority ? { priority: query.priority } : {}),
    };
    return listResult(await this.#exchange.send({ request, harmless: true }));
  }

  async create(resource: Resource, manifest: JsonObject, options: CallOptions = {}): Promise<WriteResult> {
    const call = this.#creation(resource, manifest, {});
    const result = await this.#write(called(call, options));
    // 404 on create means that the namespace, or the whole API, is not there: nothing is known about the object.
    return result.kind === 'gone' ? { kind: 'unknown', message: `namespace ${this.namespace} not found` } : result;
  }

  /** A create that is checked by everything and stored by nothing, with unknown fields as errors. */
  async dryRun(resource: Resource, manifest: JsonObject): Promise<WriteResult> {
    const call = this.#creation(resource, manifest, { dryRun: 'All', fieldValidation: 'Strict' });
    return this.#write({ ...call, harmless: true });
  }

  /** A create whose answer is the point, as for access reviews; outside any namespace. */
  async ask(resource: Resource, body: JsonObject): Promise<ReadResult<JsonObject>> {
    const request: ApiRequest = { method: 'POST', path: pathOf(resource, undefined), body };
    const answer = await this.#exchange.send({ request, harmless: true });
    if (answer.kind === 'none') return { kind: 'failed', message: answer.failure.message, forbidden: false };
    return readResult(answer.response.status === 201 ? { ...answer.response, status: 200 } : answer.response);
  }

  /** A JSON merge patch: 404 where the object is gone, never a new one. `metadata.uid` and `resourceVersion` in it are preconditions. */
  async mergePatch(resource: Resource, name: string, patch: JsonObject, options: CallOptions = {}): Promise<WriteResult> {
    const request: ApiRequest = {
      method: 'PATCH',
      path: pathOf(resource, this.namespace, name),
      query: { fieldManager: this.#options.fieldManager },
      headers: answersMetadata,
      contentType: 'application/merge-patch+json',
      body: patch,
    };
    return this.#write(called({ request, harmless: false }, options));
  }

  /** The API server's default for Jobs is Orphan, which leaves their pods behind: the policy is always said. */
  async delete(resource: Resource, name: string, options: DeleteOptions): Promise<WriteResult> {
    const request: ApiRequest = {
      method: 'DELETE',
      path: pathOf(resource, this.namespace, name),
      body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: options.propagationPolicy, preconditions: given({ uid: options.uid, resourceVersion: options.resourceVersion }) },
    };
    return this.#write({ request, harmless: false });
  }

  /** Resolves when the server starts to answer; not held back by the rate limit, since a cache that lags costs more. */
  async watch(resource: Resource, query: WatchQuery): Promise<WatchResult> {
    const { transport, clock, timeout = 15_000, meter } = this.#options;
    try {
      const result = await within(clock, timeout, query.signal, (signal) => open(transport, this.#watchRequest(resource, query, signal)));
      meter?.watch(result.kind === 'stream' ? 200 : result.failure.status);
      return result;
    } catch (error) {
      meter?.watch(undefined);
      return { kind: 'failed', failure: noAnswer(describe(error)) };
    }
  }

  /** Text in which a time stamp is in front of each line. Followed, it has no time limit: a container may be silent for hours. */
  async podLog(pod: string, query: PodLogQuery): Promise<WatchResult> {
    const { transport, clock, timeout = 15_000 } = this.#options;
    const request = this.#logRequest(pod, query);
    try {
      if (query.follow) return await open(transport, request);
      return await within(clock, timeout, query.signal, (signal) => open(transport, { ...request, signal }));
    } catch (error) {
      return { kind: 'failed', failure: noAnswer(describe(error)) };
    }
  }

  #logRequest(pod: string, { container, follow, previous, tailLines, sinceSeconds, sinceTime, signal }: PodLogQuery): ApiRequest {
    const number = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value));
    return {
      method: 'GET',
      path: `${pathOf(pods, this.namespace, pod)}/log`,
      query: given({ container, timestamps: 'true', follow: follow ? 'true' : undefined, previous: previous ? 'true' : undefined, tailLines: number(tailLines), sinceSeconds: number(sinceSeconds), sinceTime }),
      // Errors are JSON, logs are plain text.
      headers: { accept: 'application/json, */*' },
      text: true,
      signal,
    };
  }

  #watchRequest(resource: Resource, query: WatchQuery, signal: AbortSignal): ApiRequest {
    return {
      method: 'GET',
      path: pathOf(resource, this.namespace),
      query: given({
        watch: 'true',
        allowWatchBookmarks: 'true',
        labelSelector: query.labelSelector,
        fieldSelector: query.fieldSelector,
        resourceVersion: query.resourceVersion,
        timeoutSeconds: String(query.timeoutSeconds),
      }),
      ...(query.metadataOnly === true ? { headers: partial('PartialObjectMetadata') } : {}),
      signal,
    };
  }

  #creation(resource: Resource, manifest: JsonObject, query: Record<string, string>): Call {
    const request: ApiRequest = {
      method: 'POST',
      path: pathOf(resource, this.namespace),
      query: { fieldManager: this.#options.fieldManager, ...query },
      headers: answersMetadata,
      body: manifest,
    };
    return { request, harmless: false };
  }

  async #write(call: Call): Promise<WriteResult> {
    const answer = await this.#exchange.send(call);
    return answer.kind === 'none' ? { kind: 'unknown', message: answer.failure.message } : writeResult(answer.response);
  }
}

export interface CallOptions {
  /** `urgent`: not held back by the rate limit, nor by any other request. `last`: nobody waits for it. */
  readonly priority?: 'urgent' | 'last';
  /** Milliseconds, instead of the client's own. */
  readonly timeout?: number;
}
export interface DeleteOptions {
  readonly propagationPolicy: 'Foreground' | 'Background';
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
}

function called(call: Call, { priority, timeout }: CallOptions): Call {
  return { ...call, timeout, request: priority === undefined ? call.request : { ...call.request, priority } };
}

function listResult(answer: Answer): ListResult {
  if (answer.kind === 'none') return { kind: 'failed', failure: answer.failure };
  const { status, body } = answer.response;
  const resourceVersion = stringAt(objectAt(body, 'metadata'), 'resourceVersion');
  // An answer that only looks like success (a login page, an empty object) must never read as an empty list.
  if (status !== 200) return { kind: 'failed', failure: failureOf(answer.response) };
  if (resourceVersion === undefined || !isObject(body) || !hasItems(body)) return { kind: 'failed', failure: noAnswer('the answer was not a list: is a proxy in the way?') };
  const next = stringAt(objectAt(body, 'metadata'), 'continue');
  return { kind: 'page', page: { items: arrayAt(body, 'items'), resourceVersion, continue: next === '' ? undefined : next } };
}

/** Go writes an empty slice that was never made as null. */
function hasItems(body: JsonObject): boolean {
  return Array.isArray(body['items']) || body['items'] === null;
}

/** The signal ends the opening only; an open stream is ended by its `close`. */
async function open(transport: Transport, request: ApiRequest): Promise<WatchResult> {
  const stream = await transport.stream(request);
  // Came after the time limit: nobody would ever close it.
  if (request.signal?.aborted === true) stream.close();
  if (stream.status === 200) return { kind: 'stream', stream };
  const answer = { status: stream.status, headers: stream.headers };
  for await (const body of stream.lines) return { kind: 'failed', failure: failureOf({ ...answer, body }) };
  return { kind: 'failed', failure: failureOf({ ...answer, body: '' }) };
}

function given(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
