/**
 * The HTTP API on a port of its own: routes from data, and around each of them, in this order: request id, whether we are
 * stopping, who asks, how often, with which role, what is taken back, whether the request fits its schemas.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Clock } from '../../../lib/clock.ts';
import type { Log } from '../../../reconcile/ports.ts';
import { explainListening } from '../listening.ts';
import { authenticate, authorize } from './authenticate.ts';
import { problemFrom } from './failures.ts';
import { compress, matches, newFastify, pathOf, responsesOf, typesOf } from './fastify-app.ts';
import { acceptedType } from './negotiation.ts';
import { ApiProblem } from './problem.ts';
import { RateLimit, type RateLimitOptions } from './rate-limit.ts';
import type { Caller } from './role.ts';
import type { ApiAnswer, ApiRequest, Route } from './route.ts';
import { StreamWriter } from './stream-writer.ts';
import { readTls, TlsRenewal, type TlsMaterial, type TlsOptions } from './tls.ts';
import type { Tokens } from './tokens.ts';
import { Validation } from './validation.ts';

export interface ApiServerDeps {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: TlsOptions | undefined;
  readonly tokens: Pick<Tokens, 'find'>;
  readonly rateLimit: RateLimitOptions;
  readonly clock: Clock;
  readonly log: Log;
  /** A text that nobody else draws: ids of requests. */
  readonly random: () => string;
  readonly routes: readonly Route[];
  /** Told after each answer. */
  readonly meter: (route: string, code: number, seconds: number) => void;
}

/** Streams that may be open at once, of all callers. */
const mostStreams = 100;
const nothing = Type.Object({}, { additionalProperties: false });

interface Held {
  caller: Caller | undefined;
  accepted: string;
  /** It is in the log. */
  told: boolean;
}

/** Listens once, closes once. */
export class ApiServer {
  readonly app: FastifyInstance;
  readonly #deps: ApiServerDeps;
  readonly #limit: RateLimit;
  readonly #validation = new Validation();
  readonly #stopping = new AbortController();
  readonly #held = new WeakMap<FastifyRequest, Held>();
  /** Streams under way. */
  readonly #streams = new Set<Promise<void>>();

  private constructor(deps: ApiServerDeps, material: TlsMaterial | undefined) {
    this.#deps = deps;
    this.#limit = new RateLimit(deps.clock, deps.rateLimit);
    this.app = newFastify({ random: deps.random, material });
    this.#hooks();
    for (const route of deps.routes) this.#add(route);
  }

  /** Rejects where a certificate cannot be read. */
  static async create(deps: ApiServerDeps): Promise<ApiServer> {
    const { tls, clock, log } = deps;
    const material = tls && (await readTls(tls));
    const server = new ApiServer(deps, material);
    if (tls && material) server.#renew(new TlsRenewal({ clock, log, options: tls, use: (renewed) => { server.#secure(renewed); } }, material));
    return server;
  }

  /** Resolves with the port; rejects with a message for people. */
  async listen(): Promise<number> {
    const { host, port } = this.#deps;
    try {
      const address = await this.app.listen({ host, port });
      return Number(new URL(address).port || port);
    } catch (error) {
      throw new Error(`cannot serve the HTTP API on ${host}:${port}: ${explainListening(error)}`, { cause: error });
    }
  }

  /** From now on everybody is sent away, and streams end; what is under way is answered. */
  stop(): void {
    if (!this.#stopping.signal.aborted) this.#stopping.abort(new Error('job-chief is stopping'));
  }

  /** Ends once all requests are answered and all streams have ended. */
  async close(): Promise<void> {
    this.stop();
    await Promise.allSettled(this.#streams);
    await this.app.close();
  }

  #hooks(): void {
    const { app } = this;
    app.addHook('onRequest', async (request, reply) => {
      void reply.header('x-request-id', request.id).header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
      this.#held.set(request, { caller: undefined, accepted: 'application/json', told: false });
      await this.#admit(request, reply);
    });
    app.addHook('onSend', async (request, reply, payload) => compress(request, reply, payload));
    app.addHook('onResponse', (request, reply, done) => {
      this.#answered(request, reply);
      done();
    });
    app.setErrorHandler((error, request, reply) => this.#problem(reply, problemFrom(error), request, error));
    app.setNotFoundHandler((request, reply) => this.#problem(reply, this.#absent(request), request));
  }

  async #admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { routes, tokens, tls } = this.#deps;
    if (this.#stopping.signal.aborted) {
      void reply.header('connection', 'close');
      throw new ApiProblem(503, 'Stopping', 'this replica is stopping', { retryAfter: 5 });
    }
    const found = routes.find(({ id }) => id === routeId(request));
    const caller = await authenticate({ tokens, clients: tls?.clients ?? {}, limit: this.#limit }, { headers: request.headers, socket: request.raw.socket, basic: found?.page === true });
    const held = this.#held.get(request);
    if (held) held.caller = caller;
    // Before the body is read: whatever it is, nobody wants it.
    if (!found) throw this.#absent(request);
    authorize(caller, found.role);
    const offered = typesOf(found);
    const accepted = acceptedType(request.headers.accept, offered);
    if (accepted === undefined) throw new ApiProblem(406, 'NotAcceptable', `the answer comes as ${offered.join(' or ')}`);
    if (held) held.accepted = accepted;
  }

  #add(route: Route): void {
    const { app } = this;
    const { params, query, headers, body } = route;
    const checks = [
      ...(params ? [[this.#validation.check(params, 'params'), (request: FastifyRequest) => request.params] as const] : []),
      [this.#validation.check(query ?? nothing, 'querystring'), (request: FastifyRequest) => request.query] as const,
      ...(headers ? [[this.#validation.check(headers, 'headers'), (request: FastifyRequest) => request.headers] as const] : []),
      ...(body ? [[this.#validation.check(body, 'body'), (request: FastifyRequest) => request.body] as const] : []),
    ];
    app.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/gu, ':$1'),
      config: { id: route.id },
      exposeHeadRoute: false,
      schema: { response: responsesOf(route) },
      handler: async (request, reply) => {
        for (const [check, part] of checks) if (!(route.bodyOptional === true && part(request) === undefined)) check(part(request));
        return this.#answer(reply, await route.handle(this.#requestOf(request)));
      },
    });
  }

  #requestOf(request: FastifyRequest): ApiRequest {
    const held = this.#held.get(request);
    if (!held?.caller) throw new Error('a request reached a handler without a caller');
    return { params: request.params, query: request.query, body: request.body, headers: request.headers, caller: held.caller, accepted: held.accepted };
  }

  #answer(reply: FastifyReply, answer: ApiAnswer): FastifyReply {
    if ('stream' in answer) return this.#stream(reply, answer);
    if (answer.headers) void reply.headers(answer.headers);
    if (answer.type !== undefined) void reply.type(answer.type);
    return reply.code(answer.status).send(answer.body);
  }

  #stream(reply: FastifyReply, { stream, type }: Extract<ApiAnswer, { stream: unknown }>): FastifyReply {
    if (this.#streams.size >= mostStreams) throw new ApiProblem(429, 'TooManyStreams', `${mostStreams} streams are open already`, { retryAfter: 30 });
    const headers = reply.getHeaders();
    reply.hijack();
    reply.raw.writeHead(200, { ...headers, 'content-type': type, 'x-accel-buffering': 'no' } as Record<string, string>);
    reply.raw.flushHeaders();
    // Fastify tells only of answers that came to their end, and many streams are left before.
    reply.raw.once('close', () => { this.#answered(reply.request, reply); });
    const writer = new StreamWriter(reply.raw, this.#deps.clock, this.#stopping.signal);
    const under = stream(writer)
      .catch((error: unknown) => { this.#deps.log.warn({ err: error, requestId: reply.request.id }, 'a stream of the HTTP API broke off'); })
      .finally(() => {
        writer.end();
        this.#streams.delete(under);
      });
    this.#streams.add(under);
    return reply;
  }

  /** Paths of ours with another method, or none. */
  #absent(request: FastifyRequest): ApiProblem {
    const path = pathOf(request);
    const methods = this.#deps.routes.filter((route) => matches(route.path, path)).map(({ method }) => method);
    if (methods.length > 0) return new ApiProblem(405, 'MethodNotAllowed', `${path} takes ${methods.join(' and ')} only`, { headers: { allow: methods.join(', ') } });
    return new ApiProblem(404, 'NotFound', `nothing is served at ${path}; /openapi.json says what is`);
  }

  #problem(reply: FastifyReply, problem: ApiProblem, request: FastifyRequest, error?: unknown): FastifyReply {
    if (problem.code === 'Failed') this.#deps.log.error({ err: error, requestId: request.id, path: pathOf(request) }, 'a request to the HTTP API failed');
    void reply.headers(problem.headers);
    return reply.code(problem.status).type('application/problem+json').serializer(String).send(JSON.stringify(problem.body(request.id)));
  }

  #answered(request: FastifyRequest, reply: FastifyReply): void {
    const held = this.#held.get(request);
    if (held?.told === true) return;
    if (held) held.told = true;
    const seconds = reply.elapsedTime / 1000;
    const caller = held?.caller;
    this.#deps.meter(routeId(request) ?? 'none', reply.statusCode, seconds);
    this.#deps.log.info({ code: 'HttpRequest', requestId: request.id, method: request.method, path: pathOf(request), status: reply.statusCode, seconds, caller: caller?.name, role: caller?.role }, 'HTTP API request');
  }

  #secure(material: TlsMaterial): void {
    if ('setSecureContext' in this.app.server) (this.app.server as { setSecureContext(material: TlsMaterial): void }).setSecureContext(material);
  }

  #renew(renewal: TlsRenewal): void {
    this.app.server.on('connection', () => void renewal.look());
  }
}

/** undefined: nothing is served there. */
function routeId({ is404, routeOptions }: FastifyRequest): string | undefined {
  return is404 ? undefined : (routeOptions.config as { readonly id?: string } | undefined)?.id;
}
