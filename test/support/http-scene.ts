/**
 * The HTTP API of a controller on a simulated cluster, called as a client would:
 *
 *     const api = await httpApi(scene);
 *     const answer = await api.post('/api/v1/runs', { workflow: 'etl' });
 *     expect(answer.status).toBe(202);
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Response } from 'light-my-request';
import { onTestFinished } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import { createHttpApi, type HttpApi, type HttpApiOptions } from '../../src/http-api.ts';
import { isObject, type JsonObject } from '../../src/lib/json.ts';
import type { CountsAnswer, QueueStats } from '../../src/reconcile/api-ports.ts';
import type { SimulatedProcess } from '../../src/simulation/process.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { type LogLine, recordingLog } from './controller.ts';
import type { Simulation } from './simulation.ts';
import type { WorkflowScene } from './workflow-scene.ts';

/** One for each role; longer than what could be guessed. */
export const tokens = { read: 'read-read-read-read', submit: 'submit-submit-submit', admin: 'admin-admin-admin' } as const;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly json: JsonObject;
}

export interface CallOptions {
  /** undefined: none is sent. */
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Virtual milliseconds within which it must be answered. */
  readonly limit?: number;
}

export interface HttpSceneOptions extends Partial<HttpApiOptions> {
  readonly made?: (engine: Engine) => void;
}

/** A process with a controller of its own and the API over it. */
export async function httpApi(scene: Pick<WorkflowScene, 'world' | 'start'>, options: HttpSceneOptions = {}): Promise<HttpClient> {
  let engine: Engine | undefined;
  const process = scene.start({ made: (made) => { engine = made; } });
  await scene.world.runUntil(() => engine?.synced === true && engine.records.synced, 60_000);
  if (!engine) throw new Error('the controller did not start');
  // Until the first rounds have said what specs stand at.
  await scene.world.run(2_000);
  return overEngine(scene.world, { engine, process }, options);
}

/** The API over an engine that there is. */
export async function overEngine(world: Simulation, { engine, process }: { readonly engine: Engine; readonly process: SimulatedProcess }, options: Partial<HttpApiOptions> = {}): Promise<HttpClient> {
  const lines: LogLine[] = [];
  let drawn = 0;
  const made = createHttpApi({
    engine,
    clock: process.clock,
    transport: process.transport,
    log: recordingLog(lines),
    random: () => `drawn-${(drawn += 1)}`,
    namespace: world.cluster.namespace,
    instance: 'default',
    version: 'test',
    parse: (input) => parseSpec(input, {}),
    queues: noQueues,
    clientMeter: { request: () => undefined, watch: () => undefined, retry: () => undefined },
    requests: { limits: 'off', timeout: 15_000 },
    listen: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    tokens: tokenFolder(),
    rateLimit: { perSecond: 0, burst: 1 },
    publicUrl: '',
    meter: () => undefined,
    ...options,
  });
  const client = new HttpClient(world, await made, lines);
  onTestFinished(() => client.close());
  return client;
}

const noQueues: QueueStats = { counts: () => Promise.resolve<CountsAnswer>({ kind: 'unknown', reason: 'ConnectionUnknown', message: 'there are no connections' }) };

/** A folder as a mounted Secret is one. */
export function tokenFolder(files: Readonly<Record<string, string>> = { 'read.viewer': tokens.read, 'submit.ci': tokens.submit, 'admin.operator': tokens.admin }): string {
  const folder = mkdtempSync(join(tmpdir(), 'job-chief-tokens-'));
  onTestFinished(() => { rmSync(folder, { recursive: true, force: true }); });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`);
  return folder;
}

export class HttpClient {
  readonly world: Simulation;
  readonly api: HttpApi;
  readonly lines: LogLine[];
  /** Streams since the last `pass`. */
  readonly #opened: HttpStream[] = [];
  #closed = false;

  constructor(world: Simulation, api: HttpApi, lines: LogLine[]) {
    this.world = world;
    this.api = api;
    this.lines = lines;
  }

  get(path: string, options: CallOptions = {}): Promise<Answer> {
    return this.call('GET', path, options);
  }

  post(path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    return this.call('POST', path, { ...options, body });
  }

  /** The answer, while the world goes on. */
  async call(method: string, path: string, { limit = 60_000, ...options }: CallOptions = {}): Promise<Answer> {
    let settled = false;
    const answer = this.send(method, path, options).finally(() => { settled = true; });
    answer.catch(() => undefined);
    // Answers take some turns of the event loop, in which no time must pass.
    const isSettled = (): boolean => settled;
    for (let passed = 0; passed < limit; passed += 2) {
      await turns(isSettled);
      if (isSettled()) return answer;
      await this.world.run(2);
    }
    throw new Error(`${method} ${path} is not answered`);
  }

  /** Lets time pass, for what streams do meanwhile. Those that were opened just now are answered before, as far as that takes no time of the world. */
  async pass(milliseconds: number): Promise<void> {
    for (const stream of this.#opened.splice(0)) await stream.answered(patience);
    await turns();
    await this.world.run(milliseconds);
    await turns();
  }

  /** Without waiting. */
  async send(method: string, path: string, { token = tokens.admin, headers = {}, body, ...rest }: CallOptions = {}): Promise<Answer> {
    const authorization = 'token' in rest || token === '' ? {} : { authorization: `Bearer ${token}` };
    const response: Response = await this.api.server.app.inject({
      method: method as 'GET',
      url: path,
      headers: { ...authorization, ...(body === undefined || 'content-type' in headers ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.statusCode, headers: response.headers, text: response.payload, json: jsonOf(response.payload) };
  }

  /** Opens a stream and collects what comes. */
  stream(path: string, { token = tokens.admin, headers = {} }: CallOptions = {}): HttpStream {
    const stream = new HttpStream(this.api.server.app.inject({ method: 'GET', url: path, headers: { authorization: `Bearer ${token}`, ...headers }, payloadAsStream: true }));
    this.#opened.push(stream);
    return stream;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    let settled = false;
    const closing = this.api.close().finally(() => { settled = true; });
    await this.world.runUntil(() => settled, 60_000);
    await closing;
  }
}

/** Some answers begin only with what comes later. */
const patience = 300;

async function turns(enough: () => boolean = () => false): Promise<void> {
  for (let turn = 0; turn < 12 && !enough(); turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
}

function jsonOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** What has come of a stream so far. */
export class HttpStream {
  text = '';
  ended = false;
  status: number | undefined;
  #destroy: () => void = () => undefined;

  constructor(response: Promise<Response>) {
    void response.then((answer) => {
      this.status = answer.statusCode;
      const body = answer.stream();
      body.setEncoding('utf8');
      body.on('data', (chunk: string) => { this.text += chunk; });
      body.on('close', () => { this.ended = true; });
      body.on('error', () => undefined);
      this.#destroy = () => { answer.raw.res.destroy(); };
    });
  }

  /** Until it is answered, or for so many milliseconds of this machine's time: token files are read meanwhile, which is no time of the world. */
  async answered(limit: number): Promise<void> {
    const end = performance.now() + limit;
    while (this.status === undefined && performance.now() < end) await new Promise((resolve) => { setTimeout(resolve, 1); });
  }

  /** The caller goes away. */
  leave(): void {
    this.#destroy();
  }

  /** Server-sent events so far. */
  get events(): { readonly event: string; readonly id: string | undefined; readonly data: JsonObject }[] {
    return this.text.split('\n\n').filter((block) => block.includes('event: ')).map((block) => {
      const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      return { event: field('event') ?? '', id: field('id'), data: jsonOf(field('data') ?? '{}') };
    });
  }
}
