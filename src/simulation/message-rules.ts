/** How the three kinds of queues differ, as far as whoever leases from them can tell. Milliseconds. */
export type MessageQueueKind = 'pgBoss' | 'amqp' | 'sqs';

export interface MessageQueueOptions {
  readonly kind: MessageQueueKind;
  /**
   * Longest time for which a delivery can be held: expireInSeconds (15 min), consumer_timeout (30 min), what SQS allows
   * (12 h).
   */
  readonly limit?: number;
  /** What whoever subscribes can read of that limit; the limit itself unless said otherwise. */
  readonly saysLimit?: number | 'nothing';
  /** SQS: how long a message is invisible before it must be asked for again. 30 s. */
  readonly visibility?: number;
  /** pg-boss: retryLimit (2). SQS: maxReceiveCount (none). AMQP: delivery limit of a quorum queue (none). */
  readonly mostDeliveries?: number;
  /** pg-boss. */
  readonly retryDelay?: number;
  /** Name of the queue where dead ones go by the queue's own policy. */
  readonly deadLetter?: string;
}

export interface MessageRules extends MessageQueueOptions {
  /** How long a delivery lasts if nobody says anything. */
  readonly holds: number;
  readonly limit: number;
  readonly releaseCountsNot: boolean;
  /** Dead ones can still be found in it: rows of pg-boss. */
  readonly keepsDead: boolean;
  /** After a failure: when it comes back, or undefined: never. */
  readonly comesBackAfter: (deliveries: number, wanted: number) => number | undefined;
  /** It has been delivered too often to be delivered this time. */
  readonly deadOnDelivery: (deliveries: number) => boolean;
}

const minute = 60_000;

export function rulesOf(options: MessageQueueOptions): MessageRules {
  switch (options.kind) {
    case 'pgBoss': {
      const limit = options.limit ?? 15 * minute;
      const most = options.mostDeliveries ?? 3;
      return { ...options, limit, holds: limit, releaseCountsNot: true, keepsDead: true, comesBackAfter: (deliveries) => (deliveries < most ? (options.retryDelay ?? 0) : undefined), deadOnDelivery: () => false };
    }
    case 'amqp': {
      const limit = options.limit ?? 30 * minute;
      const most = options.mostDeliveries ?? Infinity;
      return { ...options, limit, holds: limit, releaseCountsNot: false, keepsDead: false, comesBackAfter: () => undefined, deadOnDelivery: (deliveries) => deliveries > most };
    }
    case 'sqs': {
      const most = options.mostDeliveries ?? Infinity;
      return { ...options, limit: options.limit ?? 720 * minute, holds: options.visibility ?? 30_000, releaseCountsNot: false, keepsDead: false, comesBackAfter: (_deliveries, wanted) => wanted, deadOnDelivery: (deliveries) => deliveries > most };
    }
  }
}
