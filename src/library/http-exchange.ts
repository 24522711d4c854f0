/** One exchange with the HTTP API of job-chief, and what its failures mean. */
import { asError } from '../lib/clock.ts';
import { isObject, objectAt, stringAt, type Json, type JsonObject } from '../lib/json.ts';
import { ClientError } from './client-error.ts';

/** How to reach the HTTP API. */
export interface HttpOptions {
  /** Its address, such as `https://job-chief.etl.svc:8443`. */
  readonly url: string;
  /** The caller's token, or what gives the one that holds now. */
  readonly token?: string | (() => string | Promise<string>);
  /** Instead of Node's own: for certificates, proxies and tests. */
  readonly fetch?: typeof fetch;
}

/** Nothing of that name. */
export class NotThere extends ClientError {}

interface ExchangeRequest {
  readonly method: 'GET' | 'POST';
  /** Below `/api/v1`, with its query. */
  readonly path: string;
  readonly body?: JsonObject;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** After these it is worth asking again. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

export class HttpExchange {
  readonly #options: HttpOptions;
  readonly #base: string;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#base = `${options.url.replace(/\/+$/, '')}/api/v1`;
  }

  /** The answer as JSON. Rejects with a ClientError. */
  async ask(request: ExchangeRequest): Promise<Json> {
    const response = await this.open(request);
    return (await unlessBroken(response.json(), request.signal)) as Json;
  }

  /** The answer, as far as its status is good. */
  async open({ method, path, body, accept = 'application/json', signal }: ExchangeRequest): Promise<Response> {
    const send = this.#options.fetch ?? fetch;
    const headers = { accept, ...(await this.#authorization()), ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const response = await unlessBroken(send(`${this.#base}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(signal ? { signal } : {}) }), signal);
    if (response.ok) return response;
    const problem: unknown = await response.json().catch(() => undefined);
    const message = sentence(problem) ?? `${method} ${path} was answered with ${response.status}`;
    throw response.status === 404 ? new NotThere('Refused', message) : new ClientError(passing.has(response.status) ? 'NoAnswer' : 'Refused', message);
  }

  async #authorization(): Promise<Record<string, string>> {
    const { token } = this.#options;
    const text = typeof token === 'function' ? await token() : token;
    return text === undefined ? {} : { authorization: `Bearer ${text}` };
  }
}

/** Who ends it knows why; anything else is the network. */
async function unlessBroken<Result>(result: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    signal?.throwIfAborted();
    const { message, cause } = asError(error);
    throw new ClientError('NoAnswer', `no answer: ${cause instanceof Error ? cause.message : message}`, { cause: error });
  }
}

/** Of a problem document, with the places that are wrong. */
function sentence(problem: unknown): string | undefined {
  const detail = stringAt(problem, 'detail') ?? stringAt(problem, 'title');
  const places = (isObject(problem) && Array.isArray(problem['errors']) ? problem['errors'] : []).flatMap((error) => {
    const place = stringAt(error, 'pointer') ?? stringAt(error, 'parameter');
    const text = stringAt(error, 'detail');
    return text === undefined || detail?.includes(text) === true ? [] : [place === undefined ? text : `${place}: ${text}`];
  });
  return detail === undefined ? undefined : [detail, ...places].join('; ');
}

/** One server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: JsonObject;
}

/** The events of a stream, until it ends. Rejects with `NoAnswer` where it breaks. */
export async function* eventsIn({ body }: Response): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) yield* eventIn(block);
    }
  } catch (error) {
    throw new ClientError('NoAnswer', `the stream broke: ${asError(error).message}`, { cause: error });
  }
}

function eventIn(block: string): ServerEvent[] {
  const lines = block.split('\n').map((line) => /^(event|data): ?(.*)$/.exec(line));
  const field = (name: string): string => lines.filter((line) => line?.[1] === name).map((line) => line?.[2] ?? '').join('\n');
  const event = field('event');
  return event === '' ? [] : [{ event, data: objectAt({ data: parsed(field('data')) }, 'data') }];
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
