/** Tries a connection to a RabbitMQ, from the folder to a queue. */
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import type { Connection } from 'rabbitmq-client';
import { formatDuration } from '../../../lib/duration.ts';
import { addressesOf, Failure, reach, readFolder, runSteps, type CheckOptions, type CheckResult, type Outcome, type Steps } from '../check-steps.ts';
import type { AmqpSettings } from '../amqp-settings.ts';
import { openChannel } from './channel.ts';
import { connect, tlsOptions } from './connect.ts';
import { AmqpProblem, explain } from './problem.ts';

/** What a step found, to be handed to the next. */
interface Context {
  settings?: AmqpSettings;
  /** The first that accepts connections. */
  host?: AmqpSettings['hosts'][number];
  connection?: Connection;
  /** Why the vhost let nobody in, who was let in before. */
  vhostProblem?: AmqpProblem;
}

/** Runs the steps in order and yields each result; stops after the first failure. */
export async function* checkAmqp(options: CheckOptions): AsyncGenerator<CheckResult> {
  const context: Context = {};
  try {
    yield* runSteps(steps, context, options);
  } finally {
    context.connection?.unsafeDestroy();
  }
}

const steps: Steps<Context> = Object.entries({
  folder: async (context, { definition }) => {
    const { settings, outcome } = await readFolder(definition, 'amqp');
    context.settings = settings;
    return outcome;
  },
  dns: (context) => eachHost(settingsOf(context), ({ host }) => addressesOf(host)),
  tcp: async (context, { clock }) => {
    return eachHost(settingsOf(context), async (host) => {
      const found = await reach(host, clock);
      context.host ??= host;
      return found;
    });
  },
  tls: async (context, { clock }) => {
    const { settings, host } = placeOf(context);
    if (!settings.tls) return { result: 'skipped', detail: 'the connection does not use TLS' };
    const socket = connectTls({ host: host.host, port: host.port, ...tlsOptions(settings.tls) });
    const timer = clock.timer(5_000, () => void socket.destroy(new Error('timeout')));
    try {
      await once(socket, 'secureConnect');
      const own = settings.tls.cert === undefined ? 'no client certificate' : 'with a client certificate';
      return `${socket.getProtocol() ?? 'TLS'}, ${own}, server certificate valid to ${socket.getPeerCertificate().valid_to}`;
    } catch (error) {
      throw explain(error, { settings, host });
    } finally {
      timer.cancel();
      socket.destroy();
    }
  },
  login: async (context) => {
    const { settings, host } = placeOf(context);
    try {
      context.connection = await connect({ settings, host, vhost: settings.vhost, purpose: 'check', signal: new AbortController().signal });
    } catch (error) {
      const problem = explain(error, { settings, host });
      // The vhost is opened after the log-in.
      if (problem.code !== 'NOT_ALLOWED') throw problem;
      context.vhostProblem = problem;
    }
    return `user ${settings.user} on ${host.host}:${host.port}`;
  },
  vhost: (context) => {
    const { settings } = placeOf(context);
    const problem = context.vhostProblem;
    if (problem) throw new Failure(problem.message, problem.problem === 'QueueForbidden' ? permissions(settings, settings.vhost) : undefined);
    const limit = settings.consumerTimeout === undefined ? 'for ever' : `for ${formatDuration(settings.consumerTimeout)}`;
    return Promise.resolve(`vhost ${settings.vhost} can be used; a message can be held ${limit}, as far as \`consumer-timeout\` of the connection says`);
  },
  queue: async (context, { queue }) => {
    const { settings, host } = placeOf(context);
    if (queue === undefined || !context.connection) return { result: 'skipped', detail: 'no queue was named' };
    try {
      const channel = await openChannel(context.connection, () => undefined);
      const { messageCount, consumerCount } = await channel.raw.queueDeclare({ queue, passive: true });
      await channel.close();
      return `queue ${queue} has ${messageCount} messages that wait, and ${consumerCount} consumers`;
    } catch (error) {
      throw explain(error, { settings, host });
    }
  },
} satisfies Readonly<Record<string, Steps<Context>[number][1]>>);

/** Does a step for each host of a cluster: one that works is enough. Rejects where none does. */
async function eachHost(settings: AmqpSettings, step: (host: AmqpSettings['hosts'][number]) => Promise<Outcome>): Promise<Outcome> {
  const found: Outcome[] = [];
  const problems: AmqpProblem[] = [];
  for (const host of settings.hosts) {
    try {
      found.push(await step(host));
    } catch (error) {
      problems.push(explain(error, { settings, host }));
    }
  }
  const [problem] = problems;
  if (found.length === 0 && problem) throw problem;
  const detail = [...found.map((one) => (typeof one === 'string' ? one : one.detail)), ...problems.map(({ message }) => message)].join('; ');
  if (problem) return { result: 'warning', detail };
  return found.every((one) => typeof one !== 'string') ? { result: 'skipped', detail } : detail;
}

function permissions({ user }: AmqpSettings, vhost: string): string {
  return `rabbitmqctl set_permissions -p ${shell(vhost)} ${shell(user)} '^$' '^$' '.*' lets it read all queues; docs/rabbitmq.md has what each feature needs`;
}

function shell(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function settingsOf({ settings }: Context): AmqpSettings {
  if (!settings) throw new Error('the folder was not read');
  return settings;
}

function placeOf(context: Context): { settings: AmqpSettings; host: AmqpSettings['hosts'][number] } {
  const settings = settingsOf(context);
  if (!context.host) throw new Error('no host was reached');
  return { settings, host: context.host };
}
