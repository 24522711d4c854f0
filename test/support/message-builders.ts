/** Queues that lease messages, leases and Jobs for messages, for tests: say what matters, the rest is plain and healthy. */
import { sha256 } from '../../src/lib/sha256.ts';
import type { Plan } from '../../src/plan/action.ts';
import type { MessageAction, SettleMessage, StartMessage } from '../../src/plan/messages/action.ts';
import type { MessageJobView } from '../../src/plan/messages/carrier.ts';
import type { Message, MessageNote, SettledNote, SourceState } from '../../src/plan/messages/message.ts';
import type { LeaseInHand, MessagesView } from '../../src/plan/messages/observed.ts';
import { noMessages } from '../../src/plan/messages/view.ts';
import type { Observed, ObservedJob } from '../../src/plan/observed.ts';
import type { MessageQueueSpec, PerMessageSpec } from '../../src/spec/queue.ts';
import { sourceText, type QueueSource } from '../../src/spec/queue-source.ts';
import { aJob, anEndedJob, aQueueSpec, minutes, noon, observedOf, seconds } from './builders.ts';

export const orders: QueueSource = { type: 'pgBoss', connection: 'main', queue: 'orders', schema: undefined };
export const rabbitOrders: QueueSource = { type: 'amqp', connection: 'rabbit', queue: 'orders', vhost: undefined, declare: undefined, messageId: undefined };

/** One attempt, no delay. */
export const oneAttempt: PerMessageSpec['retry'] = { attempts: 1, within: undefined, delay: 0, factor: 1, maxDelay: minutes(5), exitCodes: undefined, onOOM: undefined };

type MessageSpecChanges = Partial<Omit<MessageQueueSpec, 'perMessage' | 'breaker'>> & {
  readonly perMessage?: Partial<Omit<PerMessageSpec, 'retry'>> & { readonly retry?: Partial<PerMessageSpec['retry']> };
  readonly breaker?: Partial<MessageQueueSpec['breaker']>;
};

/** A Queue with `perMessage` and the defaults of the schema. */
export function aMessageQueueSpec(changes: MessageSpecChanges = {}): MessageQueueSpec {
  const { perMessage = {}, breaker, ...rest } = changes;
  const { drain: _drain, mode: _mode, ...plain } = aQueueSpec();
  const { retry, ...others } = perMessage;
  return {
    ...plain,
    mode: 'perMessage',
    batch: undefined,
    run: undefined,
    source: orders,
    concurrency: { max: 10 },
    breaker: { ...plain.breaker, ...breaker },
    perMessage: {
      settle: 'onCompletion',
      payload: { file: '/job-chief/message', env: undefined },
      env: {},
      schema: undefined,
      deadLetter: undefined,
      waitAfter: { notStarted: minutes(2), refused: seconds(30) },
      ...others,
      retry: { ...oneAttempt, ...retry },
    },
    ...rest,
  };
}

export function aMessage(id: string, changes: Partial<Omit<Message, 'body'>> & { readonly body?: string | Uint8Array } = {}): Message {
  const { body = '{"order":1}', ...rest } = changes;
  return { id, body: typeof body === 'string' ? Buffer.from(body) : body, headers: {}, contentType: 'application/json', enqueuedAt: noon - minutes(1), ...rest };
}

/** A lease that came five seconds ago. */
export function aLease(id: string, changes: Partial<LeaseInHand> = {}): LeaseInHand {
  return { token: `lease-of-${id}`, id, message: aMessage(id), delivery: 1, receipt: {}, since: noon - seconds(5), source: sourceText(orders), ...changes };
}

export function aNote(id: string, changes: Partial<MessageNote> = {}): MessageNote {
  return {
    id,
    source: orders,
    receipt: {},
    delivery: 1,
    serial: 1,
    attempt: 1,
    tries: 1,
    settle: 'onCompletion',
    retry: oneAttempt,
    sha256: sha256(Buffer.from('{"order":1}')),
    leasedAt: noon - seconds(5),
    ...changes,
  };
}

export const settledAs = (as: SettledNote['as'], at = noon - seconds(1)): SettledNote => ({ as, at });

interface MessageParts {
  readonly note?: Partial<MessageNote>;
  readonly settled?: SettledNote | undefined;
}

/** A Job for message `id` that has no pod yet. */
export function aMessageJob(id: string, changes: Partial<Omit<ObservedJob, 'message'>> & MessageParts = {}): ObservedJob {
  const { note, settled, ...rest } = changes;
  const message = { note: aNote(id, note), settled };
  return { ...aJob({ name: `orders-${id}-${message.note.serial}`, ...rest }), sequence: undefined, message };
}

/** One that ended a second ago, with its outcome written down. */
export function anEndedMessageJob(id: string, outcome: Parameters<typeof anEndedJob>[0], changes: Parameters<typeof anEndedJob>[1] & MessageParts = {}): MessageJobView {
  const { note, settled, ...rest } = changes;
  const message = { note: aNote(id, note), settled };
  return { ...anEndedJob(outcome, { name: `orders-${id}-${message.note.serial}`, ...rest }), sequence: undefined, message };
}

export const anOpenSource = (changes: Partial<Extract<SourceState, { kind: 'open' }>> = {}): SourceState => ({ kind: 'open', leaseLimit: undefined, strict: false, limitName: '', ...changes });

export function aMessagesView(changes: Partial<MessagesView> = {}): MessagesView {
  return { ...noMessages, sources: new Map([[sourceText(orders), anOpenSource()], [sourceText(rabbitOrders), anOpenSource()]]), ...changes };
}

/** The observation of one such Queue whose template has passed and whose queue is open. */
export function observedMessages(spec: MessageQueueSpec, view: Partial<MessagesView> = {}, changes: Partial<Observed> = {}): Observed {
  return observedOf(spec, { messages: aMessagesView(view), ...changes });
}

/** What is done about messages, in short: kind, reason, id and how. */
export function said({ messages = [] }: Plan): string[] {
  return messages.map((action) => [action.kind, action.reason, action.id, ...howOf(action)].join(' '));
}

function howOf(action: MessageAction): string[] {
  if (action.kind !== 'settle') return [];
  const { how } = action;
  return 'as' in how ? [how.kind, how.as] : [how.kind];
}

export function startsOf({ messages = [] }: Plan): StartMessage[] {
  return messages.filter((action) => action.kind === 'startMessage');
}

export function settlementsOf({ messages = [] }: Plan): SettleMessage[] {
  return messages.filter((action) => action.kind === 'settle');
}

/** How many more messages may be leased; undefined: none are demanded. */
export function freeOf({ leases = [] }: Plan, source: QueueSource = orders): number | undefined {
  return leases.find((demand) => sourceText(demand.source) === sourceText(source))?.free;
}
