/**
 * Every kind of queue behind the ports, by the type of a source. Nothing is connected before it is used, so an installation
 * with queues of one kind holds sessions of that kind only.
 */
import type { Clock } from '../../lib/clock.ts';
import type { QueueStats } from '../../reconcile/api-ports.ts';
import type { MessageSource } from '../../reconcile/message-ports.ts';
import type { DepthProbe, Log, WakeSource } from '../../reconcile/ports.ts';
import type { QueueSource } from '../../spec/queue-source.ts';
import { AmqpDepth } from './amqp/depth.ts';
import { AmqpLinks } from './amqp/links.ts';
import { AmqpMessages } from './amqp/messages.ts';
import type { Connections } from './connections.ts';
import { Databases } from './databases.ts';
import { Notifications } from './notifications.ts';
import { PgBossMessages } from './pg-boss-messages/pg-boss-messages.ts';
import { PgBossStats } from './pg-boss-stats.ts';
import { PgBossDepth } from './pg-boss.ts';
import { SqsDepth } from './sqs/sqs-depth.ts';
import { SqsLinks } from './sqs/sqs-links.ts';
import { SqsMessages } from './sqs/sqs-messages.ts';

export interface QueueSources {
  readonly probe: DepthProbe;
  readonly messages: MessageSource;
  readonly wakes: WakeSource;
  /** Counts by state, for people: of pg-boss only. */
  readonly stats: QueueStats;
  /** Ends all sessions; what is in hand goes back first. */
  close(): Promise<void>;
}

export interface SourcesDeps {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly log: Log;
  /** Something may have come into a queue in which there is interest. */
  readonly onWake: (source: QueueSource) => void;
}

type ByType<Port> = Readonly<Record<QueueSource['type'], Port>>;

export function openSources({ connections, clock, log, onWake }: SourcesDeps): QueueSources {
  const [reading, writing] = [new Databases({ connections, clock }), new Databases({ connections, clock, access: 'write' })];
  const [amqp, sqs] = [new AmqpLinks({ connections, clock, log }), new SqsLinks({ connections, clock, log })];
  const woke = (source: QueueSource): void => {
    pgBoss.woke(source);
    onWake(source);
  };
  const wakes = new Notifications({ databases: reading, clock, log, onWake: woke });
  const pgBoss: PgBossMessages = new PgBossMessages({ databases: writing, clock, log, wakes });
  const messages = messagesByType({ pgBoss, amqp: new AmqpMessages({ links: amqp, clock, log }), sqs: new SqsMessages({ links: sqs, clock, log }) });
  return {
    probe: probeByType({ pgBoss: new PgBossDepth({ databases: reading, clock, log }), amqp: new AmqpDepth({ links: amqp, clock, log }), sqs: new SqsDepth({ links: sqs, clock, log }) }),
    messages,
    wakes,
    stats: new PgBossStats({ databases: reading, clock }),
    close: async () => {
      await messages.close();
      sqs.close();
      await Promise.all([amqp.close(), wakes.close().then(() => reading.close()), writing.close()]);
    },
  };
}

/** Each question goes to the probe of its source's type. */
export function probeByType(probes: ByType<DepthProbe>): DepthProbe {
  return { depth: (query, signal) => probes[query.source.type].depth(query, signal) };
}

/** Each source is leased from, and settled, by what knows its type. */
export function messagesByType(sources: ByType<MessageSource>): MessageSource {
  return {
    subscribe: (source, events) => sources[source.type].subscribe(source, events),
    settle: (source, delivery, verdict) => sources[source.type].settle(source, delivery, verdict),
    deadLetter: (source, target, dead) => sources[source.type].deadLetter(source, target, dead),
    close: async () => { await Promise.all(Object.values(sources).map((one) => one.close())); },
  };
}
