/** Fastify as this API needs it: bodies and paths are ours to understand, and a caller that dawdles is cut. */
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { asError } from '../../../lib/clock.ts';
import { largestBody, parseBody } from './body.ts';
import { compressed } from './compression.ts';
import { ApiProblem } from './problem.ts';
import type { Route } from './route.ts';
import type { TlsMaterial } from './tls.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of the route, as in the document. */
    id?: string;
  }
}

/** Milliseconds: for all headers, and for a whole request. An answer may take as long as it takes. */
const headersTimeout = 10_000;
const requestTimeout = 30_000;
const mostConnections = 2_000;

/** Without routes. */
export function newFastify({ random, material }: { readonly random: () => string; readonly material: TlsMaterial | undefined }): FastifyInstance {
  const limits = { headersTimeout, requestTimeout, connectionsCheckingInterval: 5_000, maxHeaderSize: 16_384 };
  const app = fastify({
    logger: false,
    bodyLimit: largestBody,
    requestTimeout,
    keepAliveTimeout: 75_000,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // The longest is the id of a message.
    routerOptions: { maxParamLength: 1024 },
    genReqId: (request) => usableId(request.headers['x-request-id']) ?? random(),
    ...(material === undefined ? { http: limits } : { https: { ...limits, ...material, ...(material.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: false }) } }),
    // Paths that cannot be decoded reach no hook and no handler; thrown, they would end the process.
    frameworkErrors: (_error, request, reply) => {
      const problem = new ApiProblem(400, 'InvalidRequest', 'the path cannot be read');
      const plain = reply as unknown as FastifyReply;
      void plain.code(400).header('x-request-id', request.id).type('application/problem+json').send(JSON.stringify(problem.body(request.id)));
    },
  }) as unknown as FastifyInstance;
  app.server.maxConnections = mostConnections;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, parseBody(body.toString()));
    } catch (error) {
      done(asError(error), undefined);
    }
  });
  return app;
}

/** What somebody else's request id may look like: it goes into our log. */
function usableId(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w.:/+=-]{1,128}$/.test(header) ? header : undefined;
}

/** For `onSend`: the payload as the caller takes it. */
export async function compress(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  void reply.header('vary', 'Accept, Accept-Encoding');
  const smaller = await compressed(payload, textOf(request.headers['accept-encoding']));
  if (smaller === undefined) return payload;
  void reply.header('content-encoding', smaller.encoding).removeHeader('content-length');
  return smaller.payload;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return [header ?? []].flat().join(',') || undefined;
}

/** By status, as Fastify writes answers by them. */
export function responsesOf({ answers }: Route): Record<string, object> {
  return Object.fromEntries(Object.entries(answers).flatMap(([status, { schema }]) => (schema === undefined ? [] : [[status, schema]])));
}

/** Media types of its answers, the usual one first. */
export function typesOf({ answers }: Route): readonly string[] {
  return [...new Set(Object.values(answers).flatMap(({ types, schema }) => types ?? (schema === undefined ? [] : ['application/json'])))];
}

/** Whether a path is one of the template's. */
export function matches(template: string, path: string): boolean {
  const [parts, given] = [template.split('/'), path.split('/')];
  return parts.length === given.length && parts.every((part, index) => part.startsWith('{') || part === given[index]);
}

/** Without the query, which anybody may fill. */
export function pathOf({ url }: Pick<FastifyRequest, 'url'>): string {
  return (url.split('?', 1)[0] ?? '').slice(0, 300);
}
