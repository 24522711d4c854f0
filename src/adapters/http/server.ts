/**
 * What kubelet and Prometheus ask for: /livez, /readyz (and /healthz, an alias of /livez) and /metrics. Nothing about
 * specs is served, so there is nothing to log in for. It starts before the controller does, so that a slow first list
 * is "alive, not ready" and not a connection refused.
 */
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Log } from '../../reconcile/ports.ts';
import { health, type Checks } from './health.ts';
import { explainListening } from './listening.ts';

export interface HttpServerDeps {
  /** Where to listen; port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  readonly log: Log;
  /** All metrics, in the format that the Accept header asks for. */
  readonly metrics: (accept: string | undefined) => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Failing: restart the process. Must not depend on the API server's health. */
  readonly liveness: Checks;
  /** Failing: not started yet, or not working. */
  readonly readiness: Checks;
}

export interface HttpServer {
  /** Resolves with the port; rejects with a message for people. */
  listen(): Promise<number>;
  /** Ends once the requests under way are answered. */
  close(): Promise<void>;
}

export function createHttpServer(deps: HttpServerDeps): HttpServer {
  const app = fastify({
    logger: false,
    bodyLimit: 1_024,
    requestTimeout: 10_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    // Paths that cannot be decoded never reach a handler of ours otherwise.
    frameworkErrors: (_error, _request, reply) => void problem(reply, 400, 'the request cannot be read'),
  });
  addRoutes(app, deps);
  return {
    listen: async () => {
      try {
        const address = await app.listen({ host: deps.host, port: deps.port });
        return Number(new URL(address).port || deps.port);
      } catch (error) {
        throw new Error(`cannot serve metrics and probes on ${deps.host}:${deps.port}: ${explainListening(error)}`, { cause: error });
      }
    },
    close: () => app.close(),
  };
}

function addRoutes(app: FastifyInstance, { log, metrics, liveness, readiness }: HttpServerDeps): void {
  const probe = (endpoint: string, checks: Checks) => (request: FastifyRequest, reply: FastifyReply) => {
    const { ok, text } = health(endpoint, checks, readQuery(request));
    return reply.code(ok ? 200 : 500).header('cache-control', 'no-store').type('text/plain; charset=utf-8').send(text);
  };
  app.get('/livez', probe('livez', liveness));
  app.get('/healthz', probe('healthz', liveness));
  app.get('/readyz', probe('readyz', readiness));
  app.get('/metrics', async (request, reply) => {
    const { contentType, body } = await metrics(request.headers.accept);
    return reply.type(contentType).send(body);
  });
  app.setNotFoundHandler((request, reply) => problem(reply, 404, `nothing is served at ${request.method} ${pathOf(request)}`));
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    if (status >= 500) log.error({ err: error, path: pathOf(request) }, 'an HTTP request failed');
    return problem(reply, status, status >= 500 ? 'the request failed, see the log' : 'the request cannot be read');
  });
  app.addHook('onResponse', (request, reply, done) => {
    log.debug({ method: request.method, path: pathOf(request), status: reply.statusCode, seconds: reply.elapsedTime / 1000 }, 'HTTP request');
    done();
  });
}

/** Without the query, which anybody may fill. */
function pathOf(request: FastifyRequest): string {
  return (request.url.split('?', 1)[0] ?? '').slice(0, 200);
}

function readQuery(request: FastifyRequest): { verbose: boolean; exclude: string[] } {
  const query = new URL(request.url, 'http://localhost').searchParams;
  return { verbose: query.has('verbose') && query.get('verbose') !== 'false', exclude: query.getAll('exclude') };
}

/** RFC 9457. */
function problem(reply: FastifyReply, status: number, detail: string): FastifyReply {
  const title = status === 404 ? 'Not Found' : status >= 500 ? 'Internal Server Error' : 'Bad Request';
  return reply.code(status).type('application/problem+json').send(JSON.stringify({ type: 'about:blank', title, status, detail }));
}

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500;
}
