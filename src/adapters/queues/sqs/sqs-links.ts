/**
 * One client of SQS for each connection, made when it is first used. A rotated Secret gets a new one; a refused request
 * reads the folder again and tries once more.
 */
import { asError, type Clock, type Timer } from '../../../lib/clock.ts';
import type { Log } from '../../../reconcile/ports.ts';
import type { Connections } from '../connections.ts';
import type { SqsSettings } from '../sqs-settings.ts';
import { newSqsApi, type SqsApi } from './sqs-api.ts';
import { SqsError } from './sqs-error.ts';

/** A queue as a spec, or the dead letter of one, names it. */
export interface QueueName {
  readonly connection: string;
  readonly queue: string;
  /** Known already; undefined: looked up by the name, once. */
  readonly url: string | undefined;
}

interface Link {
  readonly digest: string;
  readonly settings: SqsSettings;
  readonly api: Promise<SqsApi>;
  /** Of queues by name. */
  readonly urls: Map<string, string>;
}

/** Milliseconds for which the client of old credentials lives on: its longest poll, and a little. */
const farewell = 35_000;

export class SqsLinks {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #links = new Map<string, Link>();
  readonly #leaving = new Map<Link, Timer>();
  #closed = false;

  constructor(deps: { connections: Connections; clock: Clock; log: Log }) {
    this.#connections = deps.connections;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** Asks something about a queue, with the credentials of now. Rejects with SqsError only. */
  async use<Answer>(queue: QueueName, ask: (api: SqsApi, url: string) => Promise<Answer>): Promise<Answer> {
    const link = await this.#link(queue.connection, false);
    try {
      return await this.#ask(link, queue, ask);
    } catch (error) {
      if (!(error instanceof SqsError) || error.problem !== 'QueueForbidden') throw error;
      const current = await this.#link(queue.connection, true);
      if (current.digest === link.digest) throw error;
      return this.#ask(current, queue, ask);
    }
  }

  /** Ends all connections. */
  close(): void {
    this.#closed = true;
    for (const [link, timer] of this.#leaving) {
      timer.cancel();
      this.#end(link);
    }
    this.#leaving.clear();
    for (const link of this.#links.values()) this.#end(link);
    this.#links.clear();
  }

  async #ask<Answer>(link: Link, queue: QueueName, ask: (api: SqsApi, url: string) => Promise<Answer>): Promise<Answer> {
    const api = await link.api;
    try {
      return await ask(api, await urlOf(link, api, queue));
    } catch (error) {
      // A queue that is made again may have another URL with other implementations.
      if (error instanceof SqsError && error.problem === 'QueueNotFound') link.urls.delete(queue.queue);
      throw error;
    }
  }

  async #link(connection: string, reread: boolean): Promise<Link> {
    const state = reread ? await this.#connections.reread(connection) : await this.#connections.get(connection);
    if (this.#closed) throw new SqsError('QueueUnreachable', 'job-chief is stopping');
    if (state.kind === 'unknown') throw new SqsError('ConnectionUnknown', state.message);
    if (state.kind === 'broken') throw new SqsError('ConnectionUnknown', `connection \`${connection}\` cannot be used: ${state.message}`);
    const { settings, digest } = state;
    if (settings.type !== 'sqs') throw new SqsError('QueueUnsupported', `connection \`${connection}\` is of type ${settings.type}, not sqs`);
    const known = this.#links.get(connection);
    if (known?.digest === digest) return known;
    if (known) this.#leave(known);
    const link: Link = { digest, settings, api: this.#newApi(settings), urls: new Map() };
    this.#links.set(connection, link);
    return link;
  }

  #newApi(settings: SqsSettings): Promise<SqsApi> {
    const made = newSqsApi(settings, this.#clock).catch((error: unknown) => {
      throw new SqsError('QueueUnsupported', `the client of SQS cannot be loaded: ${asError(error).message}`);
    });
    // Heard by all who use the link; this is for nobody.
    made.catch(() => undefined);
    return made;
  }

  /** What is under way with the old credentials may end. */
  #leave(link: Link): void {
    this.#log.debug({ code: 'ConnectionChanged' }, 'another client of SQS is used');
    const timer = this.#clock.timer(farewell, () => {
      this.#leaving.delete(link);
      this.#end(link);
    });
    this.#leaving.set(link, timer);
  }

  #end(link: Link): void {
    link.api.then((api) => api.close(), () => undefined);
  }
}

async function urlOf(link: Link, api: SqsApi, { queue, url }: QueueName): Promise<string> {
  const known = url ?? link.urls.get(queue);
  if (known !== undefined) return known;
  const found = await api.urlOf(queue);
  link.urls.set(queue, found);
  return found;
}
