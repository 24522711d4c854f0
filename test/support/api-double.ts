/**
 * An API server's HTTP side as a script, on a real socket: what it lists, what its watches send, and how it misbehaves.
 * It knows nothing of Kubernetes beyond that; for semantics use the simulated cluster or a real one.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/lib/json.ts';
import { until } from './fake-clock.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
  readonly isWatch: boolean;
}

/** How to answer one request. */
export type Reply =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string | string[]>; readonly delay?: number }
  /** Never answers. */
  | 'hang'
  /** Closes the connection instead of answering; `afterHeaders`: in the middle of the body. */
  | 'cut'
  | 'cutInBody';

/** A watch that the double holds open. */
export class DoubleWatch {
  readonly request: SeenRequest;
  readonly #response: ServerResponse;
  closed = false;

  constructor(request: SeenRequest, response: ServerResponse) {
    this.request = request;
    this.#response = response;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    response.on('close', () => (this.closed = true));
  }

  send(type: string, object: JsonObject): void {
    this.raw(`${JSON.stringify({ type, object })}\n`);
  }

  bookmark(resourceVersion: string): void {
    this.send('BOOKMARK', { kind: 'Job', apiVersion: 'batch/v1', metadata: { resourceVersion } });
  }

  /** An ERROR event, as the API server sends it inside a stream that began well. */
  error(code: number, reason: string, details: JsonObject = {}): void {
    this.send('ERROR', status(code, reason, `${reason} says the test`, details));
  }

  raw(text: string | Buffer): void {
    this.#response.write(text);
  }

  /** As the server does when timeoutSeconds are over. */
  end(): void {
    this.#response.end();
  }

  /** ECONNRESET on the other side. */
  reset(): void {
    (this.#response.socket as unknown as { resetAndDestroy(): void } | null)?.resetAndDestroy();
  }
}

export class ApiDouble {
  readonly requests: SeenRequest[] = [];
  readonly watches: DoubleWatch[] = [];
  /** Items and version of the next lists, by plural. */
  readonly lists = new Map<string, { items: JsonObject[]; resourceVersion: string }>();
  readonly #server: Server;
  readonly #scripts: { match: (request: SeenRequest) => boolean; replies: Reply[] }[] = [];
  #handler: ((request: SeenRequest) => Reply | undefined) | undefined;

  private constructor() {
    this.#server = createServer((incoming, response) => {
      void this.#serve(incoming, response);
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  static async start(): Promise<ApiDouble> {
    const double = new ApiDouble();
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve));
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The next requests that match get these replies, one each; later ones the usual answer. */
  script(match: 'list' | 'watch' | ((request: SeenRequest) => boolean), ...replies: Reply[]): void {
    this.#scripts.push({ match: typeof match === 'function' ? match : (request) => request.method === 'GET' && request.isWatch === (match === 'watch'), replies });
  }

  /** Answers everything that is neither scripted nor a watch, before the lists. */
  handle(handler: (request: SeenRequest) => Reply | undefined): void {
    this.#handler = handler;
  }

  listing(plural: string, resourceVersion: string, ...items: JsonObject[]): void {
    this.lists.set(plural, { items, resourceVersion });
  }

  get lists_seen(): readonly SeenRequest[] {
    return this.requests.filter((request) => request.method === 'GET' && !request.isWatch);
  }

  get watches_seen(): readonly SeenRequest[] {
    return this.requests.filter((request) => request.isWatch);
  }

  /** The n-th watch that was opened, counted from 1. */
  async watch(n = 1): Promise<DoubleWatch> {
    await until(() => this.watches.length >= n, `watch ${n}; seen: ${this.requests.map((each) => `${each.isWatch ? 'watch' : each.method} ${each.path}`).join(', ')}`);
    return this.watches[n - 1]!;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const isWatch = url.searchParams.get('watch') === 'true';
    const request: SeenRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
      isWatch,
    };
    this.requests.push(request);
    const script = this.#scripts.find((each) => each.replies.length > 0 && each.match(request));
    const reply = script?.replies.shift();
    if (reply !== undefined) answer(response, reply);
    else if (isWatch) this.watches.push(new DoubleWatch(request, response));
    else answer(response, this.#handler?.(request) ?? this.#page(request));
  }

  /** Pages as the API server makes them; the token is the next index. */
  #page(request: SeenRequest): Reply {
    const list = this.lists.get(request.path.split('/').at(-1) ?? '');
    if (!list || request.method !== 'GET') return { status: 404, body: status(404, 'NotFound', 'not found') };
    const start = Number(request.query.get('continue') ?? '0');
    const limit = Number(request.query.get('limit') ?? '0') || list.items.length;
    const end = start + limit;
    const metadata = { resourceVersion: list.resourceVersion, ...(end < list.items.length ? { continue: String(end) } : {}) };
    return { status: 200, body: { kind: 'List', metadata, items: list.items.slice(start, end) } };
  }
}

export function status(code: number, reason: string, message: string, details: JsonObject = {}): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code };
}

function answer(response: ServerResponse, reply: Reply): void {
  if (reply === 'hang') return;
  if (reply === 'cut') {
    response.socket?.destroy();
    return;
  }
  if (reply === 'cutInBody') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"kind":"List","items":[', () => response.socket?.destroy());
    return;
  }
  const send = (): void => {
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? status(reply.status, '', ''));
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(text);
  };
  if (reply.delay === undefined) send();
  else setTimeout(send, reply.delay).unref();
}
