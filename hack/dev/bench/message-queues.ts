/** Queues whose messages job-chief leases, of each kind that the bench has a real server for. */
import type { JsonObject } from '../../../src/lib/json.ts';
import { openQueues } from './queues.ts';
import { openRabbitQueues } from './rabbit-queues.ts';
import { connection } from './specs.ts';
import type { World } from './world.ts';

export const queueKinds = ['pgBoss', 'amqp'] as const;
export type QueueKind = (typeof queueKinds)[number];

/** As users call them. */
export const nameOfKind: Readonly<Record<QueueKind, string>> = { pgBoss: 'pg-boss with notify', amqp: 'RabbitMQ, quorum queue' };

export interface MessageQueues extends AsyncDisposable {
  readonly connectionType: QueueKind;
  /** Folder of the connections, for the controller's configuration. */
  readonly connectionsFolder: string;
  create(names: readonly string[], notify: boolean): Promise<void>;
  /** Resolves once the message is stored: committed, or confirmed. */
  send(name: string): Promise<void>;
  /** So many messages into one queue as fast as it goes; Date.now() of the moment from which any of them can be seen. */
  insert(name: string, count: number): Promise<number>;
  empty(): Promise<void>;
}

/** `scope`: a database of its own, or a part of the names of queues. */
export function openMessageQueues(kind: QueueKind, world: World, scope: string): Promise<MessageQueues> {
  return kind === 'pgBoss' ? openQueues(world, scope) : openRabbitQueues(world, scope);
}

/** The source of a spec. A message of RabbitMQ that fails goes nowhere unless somebody says where: the queue's policy does here. */
export function sourceOf(kind: QueueKind, queue: string): { readonly source: JsonObject; readonly perMessage: JsonObject } {
  return kind === 'pgBoss' ? { source: { pgBoss: { connection, queue } }, perMessage: {} } : { source: { amqp: { connection, queue } }, perMessage: { deadLetter: { policy: true } } };
}
