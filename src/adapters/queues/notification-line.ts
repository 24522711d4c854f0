/**
 * One session that listens for one connection and schema. Modes: connecting → listening → (cut off) waiting →
 * connecting …, until it is closed.
 */
import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import pg from 'pg';
import { asError, sleep, type Clock } from '../../lib/clock.ts';
import type { Log } from '../../reconcile/ports.ts';
import { defaultPgBossSchema } from '../../spec/connection.ts';
import type { PgBossSource } from '../../spec/queue-source.ts';
import type { PgBossSettings } from './pg-boss-settings.ts';
import { explain } from './database-error.ts';
import { refusesSettings, type Databases } from './databases.ts';
import { clientConfig } from './session.ts';

export interface NotificationDeps {
  readonly databases: Databases;
  readonly clock: Clock;
  readonly log: Log;
  /** Something may have come into the queue. */
  readonly onWake: (source: PgBossSource) => void;
}

const firstPause = 500;
const longestPause = 30_000;
/** A session that says nothing may be dead without our knowing, and its credentials may have been replaced. */
const checkEvery = 60_000;
/** How long a polite goodbye may take. */
const farewell = 1_000;

interface Session {
  readonly client: pg.Client;
  /** Rejects when the session is lost; never resolves. */
  readonly lost: Promise<never>;
  end(): Promise<void>;
}

export class NotificationLine {
  readonly #deps: NotificationDeps;
  readonly #connection: string;
  readonly #schema: string | undefined;
  /** How many are interested in each queue. */
  readonly #queues = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #listening = false;

  constructor(deps: NotificationDeps, connection: string, schema: string | undefined) {
    this.#deps = deps;
    this.#connection = connection;
    this.#schema = schema;
    this.#running = this.#run();
  }

  /** Nobody is interested any more. */
  get idle(): boolean {
    return this.#queues.size === 0;
  }

  add(queue: string): void {
    this.#queues.set(queue, (this.#queues.get(queue) ?? 0) + 1);
  }

  remove(queue: string): void {
    const count = (this.#queues.get(queue) ?? 0) - 1;
    if (count > 0) this.#queues.set(queue, count);
    else this.#queues.delete(queue);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#closed()) {
      try {
        await this.#listen();
        failures = 0;
      } catch (error) {
        failures = this.#listening ? 1 : failures + 1;
        if (!this.#closed()) this.#note(asError(error), failures);
      }
      this.#listening = false;
      if (failures > 0) await this.#pause(Math.min(longestPause, firstPause * 2 ** Math.min(failures - 1, 10)));
    }
  }

  /** Returns when the session is to be replaced or ended, rejects when it was lost or never came to be. */
  async #listen(): Promise<void> {
    const { databases } = this.#deps;
    const database = await databases.open(this.#connection);
    const session = await this.#connect(database.settings);
    try {
      session.client.on('notification', ({ payload }) => {
        if (payload !== undefined && this.#queues.has(payload)) this.#wake(payload);
      });
      await this.#subscribe(session, this.#schema ?? database.settings.schema);
      while (await this.#keep(session)) {
        if ((await databases.open(this.#connection)).digest !== database.digest) return;
      }
    } catch (error) {
      throw explain(error, database.settings);
    } finally {
      await session.end();
    }
  }

  async #subscribe({ client, lost }: Session, schema: string | undefined): Promise<void> {
    for (const channel of channelsOf(schema)) await Promise.race([client.query(`LISTEN ${channel}`), lost]);
    this.#listening = true;
    this.#deps.log.debug({ code: 'Listening', connection: this.#connection, schema: this.#schema }, 'listening for new messages');
    // What was sent while nobody listened would otherwise wait for the next poll.
    for (const queue of this.#queues.keys()) this.#wake(queue);
  }

  async #connect(settings: PgBossSettings): Promise<Session> {
    try {
      return await openSession(settings, false, this.#deps.clock, this.#stop.signal);
    } catch (error) {
      if (!refusesSettings(error)) {
        const explained = explain(error, settings);
        // Perhaps the Secret was rotated: the next attempt must not use the same reading of it.
        if (explained.problem === 'QueueForbidden') await this.#deps.databases.reread(this.#connection);
        throw explained;
      }
      return openSession(settings, true, this.#deps.clock, this.#stop.signal);
    }
  }

  /** Waits until the session was looked at; false: it is to be ended. Rejects when it is lost. */
  async #keep({ client, lost }: Session): Promise<boolean> {
    const over = new AbortController();
    try {
      await Promise.race([lost, this.#pause(checkEvery, over.signal)]);
    } finally {
      over.abort();
    }
    if (this.#closed()) return false;
    await Promise.race([client.query('SELECT 1'), lost]);
    return true;
  }

  #closed(): boolean {
    return this.#stop.signal.aborted;
  }

  #wake(queue: string): void {
    this.#deps.onWake({ type: 'pgBoss', connection: this.#connection, schema: this.#schema, queue });
  }

  #note(error: Error, failures: number): void {
    const fields = { code: 'ListenFailed', connection: this.#connection, schema: this.#schema, reason: error.message };
    if (failures === 1) this.#deps.log.info(fields, 'not listening for new messages; polling goes on');
    else this.#deps.log.debug(fields, 'still not listening for new messages');
  }

  /** Resolves after a while, or as soon as the line is closed or the signal aborts. */
  async #pause(delay: number, signal?: AbortSignal): Promise<void> {
    const either = signal ? AbortSignal.any([this.#stop.signal, signal]) : this.#stop.signal;
    await sleep(this.#deps.clock, delay, either).catch(() => undefined);
  }
}

/** Logs in on a socket of our own, which can be cut where the driver would wait for a peer that is gone. */
async function openSession(settings: PgBossSettings, plain: boolean, clock: Clock, stop: AbortSignal): Promise<Session> {
  const socket = new Socket();
  const client = new pg.Client({ ...clientConfig(settings, plain), stream: () => socket });
  const lost = new Promise<never>((_, reject) => {
    client.on('error', reject);
    client.on('end', () => reject(new Error('the session ended')));
  });
  // Whoever waits for something races it; between two waits nobody hears it.
  lost.catch(() => undefined);
  const cut = (): void => void socket.destroy();
  stop.addEventListener('abort', cut, { once: true });
  try {
    await client.connect();
  } catch (error) {
    cut();
    throw error;
  } finally {
    stop.removeEventListener('abort', cut);
  }
  const end = async (): Promise<void> => {
    const timer = clock.timer(farewell, cut);
    await client.end().catch(() => undefined);
    timer.cancel();
  };
  return { client, lost, end };
}

/**
 * The channel is a hash of the schema as the application spelt it. A name that can only be reached in quotes may have
 * been written with or without them in our spec, so both spellings are listened to.
 */
export function channelsOf(schema: string | undefined): readonly string[] {
  const bare = (schema ?? defaultPgBossSchema).replace(/^"(.+)"$/, '$1');
  const spellings = /^[a-z_][a-z0-9_]*$/.test(bare) ? [bare] : [bare, `"${bare}"`];
  return spellings.map((spelling) => `pgboss_${createHash('sha224').update(spelling).digest('hex').slice(0, 24)}`);
}
