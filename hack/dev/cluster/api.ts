import { Pool, type Dispatcher } from 'undici';

/** The little of an API client that starting a cluster and playing the kubelet need. */
export interface Api {
  request(method: Dispatcher.HttpMethod, path: string, body?: unknown, contentType?: string): Promise<{ status: number; body: string }>;
  /** Lines of a streaming answer (a watch). */
  stream(path: string, signal: AbortSignal): AsyncIterable<string>;
  close(): Promise<void>;
}

export interface ApiAddress {
  server: string;
  token: string;
  ca: string;
  connections?: number;
}

export function connectApi(at: ApiAddress): Api {
  const pool = new Pool(at.server, { connections: at.connections ?? 8, connect: { ca: at.ca } });
  const headers = { authorization: `Bearer ${at.token}`, accept: 'application/json' };
  return {
    async request(method, path, body, contentType = 'application/json') {
      const answer = await pool.request({
        method,
        path,
        headers: body === undefined ? headers : { ...headers, 'content-type': contentType },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.statusCode, body: await answer.body.text() };
    },
    async *stream(path, signal) {
      // A watch may be silent for minutes; bookmarks come once a minute.
      const answer = await pool.request({ method: 'GET', path, headers, signal, bodyTimeout: 180_000 });
      if (answer.statusCode !== 200) throw new Error(`watch ${path}: ${answer.statusCode} ${await answer.body.text()}`);
      let rest = '';
      for await (const chunk of answer.body.setEncoding('utf8')) {
        rest += chunk as string;
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        yield* lines;
      }
    },
    close: () => pool.destroy(),
  };
}
