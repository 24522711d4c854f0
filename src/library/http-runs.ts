/** A client that goes through the HTTP API of job-chief, with the role of its token: no right in the cluster is needed. */
import { sleep, type Clock } from '../lib/clock.ts';
import { arrayAt, isObject, numberAt, objectAt, stringAt, type Json, type JsonObject } from '../lib/json.ts';
import type { RunPhase } from '../plan/run/record.ts';
import { isOver } from '../plan/run/summary.ts';
import type { RunOutcome } from '../plan/run/state.ts';
import { onlyChanges, targetIn } from './asking.ts';
import { ClientError } from './client-error.ts';
import type { Client, ListOptions, Run, RunEnd, SubmitRequest, Submitted, WaitOptions } from './client-types.ts';
import { eventsIn, NotThere, type HttpExchange } from './http-exchange.ts';

/** Runs of one answer of a list. */
const pageSize = 1_000;
/** Milliseconds until a broken stream is opened again. */
const pauseWithoutAnswer = 2_000;

export class HttpRuns implements Client {
  readonly #http: HttpExchange;
  readonly #clock: Clock;
  readonly #closing = new AbortController();

  constructor({ http, clock }: { readonly http: HttpExchange; readonly clock: Clock }) {
    this.#http = http;
    this.#clock = clock;
  }

  async submit(request: SubmitRequest): Promise<Submitted> {
    const { kind, name } = targetIn(request);
    const body = { [kind]: name, parameters: request.parameters ?? {}, ...(request.key === undefined ? {} : { idempotencyKey: request.key }) };
    const answer = await this.#ask('POST', '/runs', body);
    return { name: stringAt(answer, 'name') ?? '', notes: textsIn(answer, 'notes') };
  }

  async run(name: string): Promise<Run | undefined> {
    try {
      return runIn(await this.#ask('GET', `/runs/${encodeURIComponent(name)}`));
    } catch (error) {
      if (error instanceof NotThere) return undefined;
      throw error;
    }
  }

  async runs(options: ListOptions = {}): Promise<readonly Run[]> {
    const target = options.workflow === undefined && options.template === undefined ? undefined : targetIn(options);
    const found: Run[] = [];
    for (let next: string | undefined = ''; next !== undefined;) {
      const query = new URLSearchParams({ limit: String(pageSize), ...target, ...(next === '' ? {} : { continue: next }) });
      const page: Json = await this.#ask('GET', `/runs?${query.toString()}`);
      found.push(...arrayAt(page, 'items').map(runIn));
      next = stringAt(page, 'continue');
    }
    return found;
  }

  async wait(name: string, { timeout, signal, onChange }: WaitOptions = {}): Promise<Run> {
    const late = new AbortController();
    const timer = timeout === undefined ? undefined : this.#clock.timer(timeout, () => { late.abort(new ClientError('TimedOut', `run "${name}" is not over after ${timeout} ms; it goes on`)); });
    const stop = AbortSignal.any([this.#closing.signal, late.signal, ...(signal ? [signal] : [])]);
    const tell = onlyChanges(onChange);
    try {
      for (;;) {
        const run = await this.#followed(name, stop, tell);
        if (run) return run;
        await sleep(this.#clock, pauseWithoutAnswer, stop);
      }
    } finally {
      timer?.cancel();
    }
  }

  async cancel(name: string, reason?: string): Promise<void> {
    await this.#ask('POST', `/runs/${encodeURIComponent(name)}/cancel`, reason === undefined ? {} : { reason });
  }

  close(): Promise<void> {
    this.#closing.abort(new ClientError('NoAnswer', 'the client was closed'));
    return Promise.resolve();
  }

  #ask(method: 'GET' | 'POST', path: string, body?: JsonObject): Promise<Json> {
    return this.#http.ask({ method, path, signal: this.#closing.signal, ...(body === undefined ? {} : { body }) });
  }

  /** The run once it is over; undefined: the stream has ended before, which is no news. */
  async #followed(name: string, signal: AbortSignal, tell: (run: Run) => void): Promise<Run | undefined> {
    try {
      const stream = await this.#http.open({ method: 'GET', path: `/runs/${encodeURIComponent(name)}/events`, accept: 'text/event-stream', signal });
      for await (const { event, data } of eventsIn(stream)) {
        if (event === 'deleted') throw new ClientError('Refused', `the record of run "${name}" was deleted`);
        if (event !== 'snapshot' && event !== 'run') continue;
        const run = runIn(data);
        tell(run);
        if (isOver(run.phase)) return run;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ClientError) || error.code !== 'NoAnswer') throw error;
    }
    return undefined;
  }
}

function textsIn(value: unknown, key: string): string[] {
  return arrayAt(value, key).filter((text) => typeof text === 'string');
}

/** As the API shows it. */
function runIn(body: Json): Run {
  const target = objectAt(body, 'target');
  const end = endIn(body);
  return {
    name: stringAt(body, 'name') ?? '',
    target: { kind: target['kind'] === 'template' ? 'template' : 'workflow', name: stringAt(target, 'name') ?? '' },
    phase: (stringAt(body, 'phase') ?? 'Queued') as RunPhase,
    createdAt: timeIn(body, 'createdAt'),
    ...(end ? { end } : {}),
  };
}

function endIn(body: Json): RunEnd | undefined {
  const outcome = stringAt(body, 'outcome');
  if (outcome === undefined || !isObject(body)) return undefined;
  return {
    outcome: outcome as RunOutcome,
    reason: stringAt(body, 'reason') ?? '',
    message: stringAt(body, 'message') ?? '',
    startedAt: timeIn(body, 'startedAt'),
    finishedAt: timeIn(body, 'finishedAt'),
    failedSteps: textsIn(body, 'failedSteps'),
    outputs: objectAt(body, 'outputs') as RunEnd['outputs'],
  };
}

function timeIn(body: Json, key: string): number {
  return numberAt(body, key) ?? Date.parse(stringAt(body, key) ?? '');
}
