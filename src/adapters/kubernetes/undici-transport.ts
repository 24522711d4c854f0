/**
 * The Transport for real: raw JSON bodies over one pool of kept-alive connections. undici's own `dispatch` rather than
 * `fetch`, which is three times slower and merges repeated headers, and than `request`, which makes a stream of each body.
 */
import { StringDecoder } from 'node:string_decoder';
import { Agent, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import { asError } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { sameTls } from './access.ts';
import type { ClusterAccess, TlsOptions } from './access.ts';
import { jsonLines } from './json-lines.ts';
import { RequestLanes } from './request-lanes.ts';
import type { ApiRequest, ApiResponse, ApiStream, Transport } from './transport.ts';

export interface UndiciTransportOptions {
  readonly access: ClusterAccess;
  /** `job-chief/<version>`, on every request. */
  readonly userAgent: string;
  /** Most requests to the API server at once; watches and what is urgent come on top. Default 64. */
  readonly connections?: number;
}

/** The client times requests by its own clock; this only catches a socket that it no longer looks at. */
const lastResort = 120_000;
const defaultConnections = 64;
/** Connections for what is urgent: one request at a time, and one that is stuck. */
const urgentConnections = 2;

/** Holds sockets: `close` it. */
export class UndiciTransport implements Transport {
  readonly #options: UndiciTransportOptions;
  readonly #lanes: RequestLanes;
  /** Origin and path prefix of the server. */
  readonly #server: { readonly origin: string; readonly prefix: string };
  #pools: Pools | undefined;

  constructor(options: UndiciTransportOptions) {
    this.#options = options;
    this.#lanes = new RequestLanes(options.connections ?? defaultConnections);
    const { origin, pathname } = new URL(options.access.server);
    this.#server = { origin, prefix: pathname.replace(/\/$/, '') };
  }

  request(request: ApiRequest): Promise<ApiResponse> {
    const { priority = 'normal', signal } = request;
    return priority === 'urgent' ? this.#exchange(request, 'urgent') : this.#lanes.run(priority, signal, () => this.#exchange(request, 'requests'));
  }

  async stream(request: ApiRequest): Promise<ApiStream> {
    const { pools, options } = await this.#prepare(request);
    // A kubelet says nothing at all until the container has written its first line.
    const answer = await pools.streams.request({ ...options, signal: request.signal ?? null, bodyTimeout: 0, ...(request.text === true ? { headersTimeout: 0 } : {}) });
    if (answer.statusCode === 401) this.#options.access.forget();
    const { body } = answer;
    // Destroying a body that nobody reads any more emits an error, which without a listener would end the process.
    body.on('error', () => undefined);
    return {
      status: answer.statusCode,
      headers: answer.headers,
      lines: answer.statusCode !== 200 ? wholeBody(body) : request.text === true ? textPieces(body) : jsonLines(body),
      close: () => {
        body.destroy();
      },
    };
  }

  async close(): Promise<void> {
    const pools = this.#pools;
    this.#pools = undefined;
    await Promise.all([pools?.requests.destroy(), pools?.urgent.destroy(), pools?.streams.destroy()]);
  }

  async #exchange(request: ApiRequest, use: 'requests' | 'urgent'): Promise<ApiResponse> {
    const { pools, options } = await this.#prepare(request);
    const answer = await collected(pools[use], options, request.signal);
    if (answer.status === 401) this.#options.access.forget();
    return answer;
  }

  async #prepare(request: ApiRequest): Promise<{ pools: Pools; options: Dispatcher.DispatchOptions }> {
    const { access, userAgent } = this.#options;
    const credentials = await access.credentials();
    const query = request.query === undefined ? '' : new URLSearchParams(request.query).toString();
    const options: Dispatcher.DispatchOptions = {
      origin: this.#server.origin,
      method: request.method,
      path: `${this.#server.prefix}${request.path}${query === '' ? '' : `?${query}`}`,
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        ...request.headers,
        ...credentials.headers,
      },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      headersTimeout: lastResort,
      bodyTimeout: lastResort,
    };
    return { pools: this.#poolsFor(credentials.tls), options };
  }

  /** A client certificate that was replaced needs new connections; what is under way on the old ones may finish. */
  #poolsFor(tls: TlsOptions): Pools {
    if (this.#pools && sameTls(this.#pools.tls, tls)) return this.#pools;
    for (const old of [this.#pools?.requests, this.#pools?.urgent, this.#pools?.streams]) old?.close().catch(() => undefined);
    const { access, connections = defaultConnections } = this.#options;
    // Streams apart: watches stay open for minutes and would take a small pool away from everything else.
    this.#pools = { tls, requests: newPool(access, tls, connections), urgent: newPool(access, tls, urgentConnections), streams: newPool(access, tls, null) };
    return this.#pools;
  }
}

interface Pools {
  readonly tls: TlsOptions;
  readonly requests: Dispatcher;
  readonly urgent: Dispatcher;
  readonly streams: Dispatcher;
}

function newPool(access: ClusterAccess, tls: TlsOptions, connections: number | null): Dispatcher {
  const common = { connections, pipelining: 1, allowH2: false, keepAliveTimeout: 30_000, keepAliveMaxTimeout: 300_000 };
  const connect = { ...tls, timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 };
  return access.proxy === undefined ? new Agent({ ...common, connect }) : new ProxyAgent({ ...common, uri: access.proxy, requestTls: connect });
}

/** The whole answer. Rejects with the signal's reason as soon as it aborts. */
function collected(dispatcher: Dispatcher, options: Dispatcher.DispatchOptions, signal: AbortSignal | undefined): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let head: Pick<ApiResponse, 'status' | 'headers'> = { status: 0, headers: {} };
    let sent: Dispatcher.DispatchController | undefined;
    const stop = (): void => {
      const reason = asError(signal?.reason);
      sent?.abort(reason);
      reject(reason);
    };
    if (signal?.aborted === true) {
      stop();
      return;
    }
    signal?.addEventListener('abort', stop, { once: true });
    dispatcher.dispatch(options, {
      onRequestStart: (controller) => {
        sent = controller;
        if (signal?.aborted === true) stop();
      },
      onResponseStart: (_controller, status, headers) => {
        head = { status, headers };
      },
      onResponseData: (_controller, chunk) => {
        chunks.push(chunk);
      },
      onResponseEnd: () => {
        signal?.removeEventListener('abort', stop);
        resolve({ ...head, body: parsed(textOf(chunks)) });
      },
      onResponseError: (_controller, error) => {
        signal?.removeEventListener('abort', stop);
        reject(error);
      },
    });
  });
}

/** Most answers come in one piece. */
function textOf(chunks: readonly Buffer[]): string {
  const [only] = chunks;
  return chunks.length === 1 && only ? only.toString('utf8') : Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** Characters of several bytes stay whole. */
async function* textPieces(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new StringDecoder('utf8');
  for await (const chunk of body) yield decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  yield decoder.end();
}

async function* wholeBody(body: Dispatcher.ResponseData['body']): AsyncGenerator<Json, void, void> {
  yield parsed(await body.text());
}
