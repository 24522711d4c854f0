/**
 * One connection with a RabbitMQ for one vhost, shared by all that use it: opened when it is asked for, opened again when
 * it is asked for after it was lost.
 *
 * Modes: idle → opening → open → (lost, or given up on) waiting → opening …, and closed for good. While it waits every
 * question is answered with the failure that it waits after.
 *
 * A password that is replaced does not end a connection that is open: all deliveries in hand would go back for nothing. It
 * is used from the next log-in on. Another server, user or vhost does end it, at the next look.
 */
import type { Connection } from 'rabbitmq-client';
import { asError, sleep, type Clock, type Timer } from '../../../lib/clock.ts';
import { growingPause } from '../../../lib/growing-pause.ts';
import type { Log } from '../../../reconcile/ports.ts';
import type { AmqpSettings } from '../amqp-settings.ts';
import type { Connections } from '../connections.ts';
import { openChannel, type AmqpChannel } from './channel.ts';
import { connect } from './connect.ts';
import { AmqpProblem, explain } from './problem.ts';

export interface LinkDeps {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LinkPlace {
  readonly connection: string;
  /** undefined: the connection's own. */
  readonly vhost: string | undefined;
  /**
   * RabbitMQ stops reading from connections that publish while it is short of memory or disk. What settles messages must
   * not stop with them, so dead letters have a connection of their own.
   */
  readonly purpose: 'messages' | 'dead letters';
}

/** A connection that is open, or was. */
export interface AmqpSession {
  readonly settings: AmqpSettings;
  readonly host: AmqpSettings['hosts'][number];
  /** Rejects with AmqpProblem. */
  channel(): Promise<AmqpChannel>;
}

interface Open {
  readonly connection: Connection;
  readonly session: AmqpSession;
}

const firstPause = 250;
const longestPause = 15_000;
/** How often it is looked whether the folder leads somewhere else by now. */
const checkEvery = 30_000;
/** How long a connection is kept that nobody uses. */
const idleFor = 60_000;
const longestGoodbye = 3_000;

export class AmqpLink {
  readonly #deps: LinkDeps;
  readonly #place: LinkPlace;
  readonly #stop = new AbortController();
  #open: Open | undefined;
  #opening: Promise<AmqpSession> | undefined;
  #failure: { readonly problem: AmqpProblem; readonly count: number; readonly until: number } | undefined;
  /** The host that is tried first: the one that let us in last. */
  #first = 0;
  #users = 0;
  #check: Timer | undefined;
  #idle: Timer | undefined;

  constructor(deps: LinkDeps, place: LinkPlace) {
    this.#deps = deps;
    this.#place = place;
  }

  /** Says that somebody uses it, until the returned function is called. */
  hold(): () => void {
    this.#users += 1;
    this.#idle?.cancel();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#users -= 1;
      // After the end there is no connection to keep, and nothing that is worth a timer.
      if (this.#users === 0 && !this.#stop.signal.aborted) this.#idle = this.#deps.clock.timer(idleFor, () => { this.#endIdle(); });
    };
  }

  /** The connection, opened if need be. Rejects with AmqpProblem. */
  async session(): Promise<AmqpSession> {
    if (this.#stop.signal.aborted) throw stopping();
    if (this.#open) return this.#open.session;
    if (this.#failure && this.#deps.clock.monotonic() < this.#failure.until) throw this.#failure.problem;
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Ends the connection; what is unacknowledged goes back. Waits for the server, but not for one that is gone. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#idle?.cancel();
    await this.#opening?.catch(() => undefined);
    const open = this.#forget();
    if (open) await this.#goodbye(open.connection);
  }

  async #connect(): Promise<AmqpSession> {
    const state = await this.#settings(false);
    try {
      return await this.#connectTo(state);
    } catch (error) {
      if (!(error instanceof AmqpProblem)) throw error;
      // Perhaps the Secret was rotated just now.
      const current = error.problem === 'QueueForbidden' ? await this.#settings(true) : state;
      if (current.digest !== state.digest) return this.#connectTo(current);
      throw error;
    }
  }

  async #connectTo({ settings, digest }: { settings: AmqpSettings; digest: string }): Promise<AmqpSession> {
    let problem = new AmqpProblem('QueueUnreachable', 'the connection has no host');
    for (let index = 0; index < settings.hosts.length; index++) {
      const turn = (this.#first + index) % settings.hosts.length;
      const host = settings.hosts[turn];
      if (!host) continue;
      try {
        const connection = await connect({ settings, host, vhost: this.#vhost(settings), purpose: this.#place.purpose, signal: this.#stop.signal });
        this.#first = turn;
        return this.#opened(connection, { settings, host });
      } catch (error) {
        if (this.#stop.signal.aborted) throw stopping();
        problem = explain(error, { settings, host });
        this.#deps.log.debug({ code: problem.problem, connection: this.#place.connection, host: host.host, digest }, problem.message);
      }
    }
    this.#note(problem);
    throw problem;
  }

  #opened(connection: Connection, { settings, host }: Pick<AmqpSession, 'settings' | 'host'>): AmqpSession {
    let lost: unknown;
    const session: AmqpSession = {
      settings,
      host,
      channel: async () => {
        try {
          return await openChannel(connection, () => lost);
        } catch (error) {
          throw explain(lost ?? error, { settings, host });
        }
      },
    };
    connection.on('error', (error: unknown) => {
      lost ??= error;
      this.#deps.log.info({ code: 'AmqpConnectionLost', connection: this.#place.connection, purpose: this.#place.purpose, reason: explain(error, { settings, host }).message }, 'connection with RabbitMQ lost');
      if (this.#open?.connection === connection) this.#forget();
    });
    this.#open = { connection, session };
    this.#failure = undefined;
    this.#check = this.#deps.clock.timer(checkEvery, () => void this.#look(session));
    if (this.#users === 0) this.#idle ??= this.#deps.clock.timer(idleFor, () => { this.#endIdle(); });
    this.#deps.log.debug({ code: 'AmqpConnected', connection: this.#place.connection, purpose: this.#place.purpose, host: host.host }, 'connected with RabbitMQ');
    return session;
  }

  async #settings(again: boolean): Promise<{ settings: AmqpSettings; digest: string }> {
    const { connections } = this.#deps;
    const name = this.#place.connection;
    const state = again ? await connections.reread(name) : await connections.get(name);
    if (state.kind === 'unknown') throw new AmqpProblem('ConnectionUnknown', state.message);
    if (state.kind === 'broken') throw new AmqpProblem('ConnectionUnknown', `connection \`${name}\` cannot be used: ${state.message}`);
    if (state.settings.type !== 'amqp') throw new AmqpProblem('QueueUnsupported', `connection \`${name}\` is of type ${state.settings.type}, and leads to no RabbitMQ`);
    return { settings: state.settings, digest: state.digest };
  }

  /** Whether the folder still leads here. */
  async #look(session: AmqpSession): Promise<void> {
    const current = await this.#settings(false).catch(() => undefined);
    if (this.#open?.session !== session) return;
    if (current && this.#leadsTo(current.settings) !== this.#leadsTo(session.settings)) {
      this.#deps.log.info({ code: 'AmqpConnectionMoved', connection: this.#place.connection }, 'the connection leads somewhere else now');
      const open = this.#forget();
      if (open) await this.#goodbye(open.connection);
      return;
    }
    this.#check = this.#deps.clock.timer(checkEvery, () => void this.#look(session));
  }

  #leadsTo(settings: AmqpSettings): string {
    return JSON.stringify([settings.hosts, settings.user, this.#vhost(settings), settings.tls !== undefined, settings.heartbeat, settings.consumerTimeout]);
  }

  #vhost(settings: AmqpSettings): string {
    return this.#place.vhost ?? settings.vhost;
  }

  #note(problem: AmqpProblem): void {
    const count = (this.#failure?.count ?? 0) + 1;
    this.#failure = { problem, count, until: this.#deps.clock.monotonic() + growingPause(count, firstPause, longestPause) };
  }

  #forget(): Open | undefined {
    const open = this.#open;
    this.#open = undefined;
    this.#check?.cancel();
    return open;
  }

  #endIdle(): void {
    this.#idle = undefined;
    if (this.#users > 0) return;
    const open = this.#forget();
    if (open) void this.#goodbye(open.connection);
  }

  async #goodbye(connection: Connection): Promise<void> {
    const over = new AbortController();
    // Closing waits for the channels, which others close; there is nobody to wait for where the server does not answer.
    await Promise.race([connection.close().catch(() => undefined), sleep(this.#deps.clock, longestGoodbye, over.signal).catch(asError)]);
    over.abort();
    connection.unsafeDestroy();
  }
}

function stopping(): AmqpProblem {
  return new AmqpProblem('QueueUnreachable', 'job-chief is stopping');
}
