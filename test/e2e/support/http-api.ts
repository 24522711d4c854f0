/** The HTTP API as a caller inside the cluster has it: through its Service, with a bearer token or without. */
import { request } from 'undici';
import type { Forward } from './kubernetes.ts';
import type { Site } from './site.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** `{}` where the answer is no JSON. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface AskOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, by POST. */
  readonly body?: object;
}

export class HttpApi implements AsyncDisposable {
  readonly #forward: Forward;

  private constructor(forward: Forward) {
    this.#forward = forward;
  }

  static async open(site: Site): Promise<HttpApi> {
    return new HttpApi(await site.kubernetes.forward(site.namespace, 'service/job-chief-api', 8443));
  }

  /** POST where there is a body, else GET; reads until the answer ends. */
  async ask(path: string, { token, headers = {}, body }: AskOptions = {}): Promise<Answer> {
    const answer = await request(`${this.#forward.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      reset: true,
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, json: jsonOf(text) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#forward[Symbol.asyncDispose]();
  }
}

/** Names of server-sent events with their documents, in order. */
export function eventsIn(text: string): { readonly event: string; readonly data: Readonly<Record<string, unknown>> }[] {
  return text.split('\n\n').flatMap((block) => {
    const field = (name: string): string | undefined => block.split('\n').find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const event = field('event');
    return event === undefined ? [] : [{ event, data: jsonOf(field('data') ?? '') }];
  });
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
