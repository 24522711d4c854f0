/** The ports about messages in memory: they record what was asked of them and answer as they are told. */
import type { JsonObject } from '../../src/lib/json.ts';
import type { Lease, MessageNote, SettleAnswer, SettledNote, SourceState, Verdict } from '../../src/plan/messages/message.ts';
import type { DeadMessage, DeliveryRef, MessageRuns, MessageSource, PayloadStore, Subscription, SubscriptionEvents } from '../../src/reconcile/message-ports.ts';
import type { MessageMeter } from '../../src/reconcile/meter.ts';
import type { WriteResult } from '../../src/reconcile/ports.ts';
import type { NewRecord } from '../../src/reconcile/record-ports.ts';
import type { DeadLetterSpec } from '../../src/spec/queue.ts';
import { sourceText, type QueueSource } from '../../src/spec/queue-source.ts';
import { done } from './fakes.ts';
import { pgBossSource } from './sources.ts';

/** One subscription: what was asked of it, and the way to tell it something. */
export class FakeSubscription implements Subscription {
  readonly source: QueueSource;
  readonly events: SubscriptionEvents;
  /** `credit 3`, `pause`, `adopt ID`, `abandon TOKEN`, `close`. */
  readonly calls: string[] = [];

  constructor(source: QueueSource, events: SubscriptionEvents) {
    this.source = source;
    this.events = events;
  }

  credit(total: number): void { this.calls.push(`credit ${total}`); }
  pause(): void { this.calls.push('pause'); }
  adopt(id: string): void { this.calls.push(`adopt ${id}`); }
  abandon(token: string): void { this.calls.push(`abandon ${token}`); }
  close(): Promise<void> {
    this.calls.push('close');
    return Promise.resolve();
  }
}

/** Everything succeeds unless `answers` says otherwise. */
export class FakeMessages implements MessageSource {
  readonly subscriptions: FakeSubscription[] = [];
  /** `complete ID`, `fail ID`, `release ID`, `deadLetter ID`. */
  readonly requests: string[] = [];
  readonly verdicts: Verdict[] = [];
  readonly deliveries: DeliveryRef[] = [];
  answers: Partial<{ settle: SettleAnswer | Promise<SettleAnswer>; /** In place of `settle`, of a delivery by its receipt alone. */ byReceipt: SettleAnswer; deadLetter: SettleAnswer }> = {};
  /** Told to each subscription while it is being made. */
  opening: SourceState | undefined;

  subscribe(source: QueueSource, events: SubscriptionEvents): FakeSubscription {
    const made = new FakeSubscription(source, events);
    this.subscriptions.push(made);
    if (this.opening) events.state(this.opening);
    return made;
  }

  async settle(_source: QueueSource, delivery: DeliveryRef, verdict: Verdict): Promise<SettleAnswer> {
    this.requests.push(`${verdict.kind} ${delivery.id}`);
    this.verdicts.push(verdict);
    this.deliveries.push(delivery);
    const { settle, byReceipt } = this.answers;
    return (await (delivery.token === undefined ? (byReceipt ?? settle) : settle)) ?? { kind: 'done' };
  }

  deadLetter(_source: QueueSource, _target: DeadLetterSpec, { message }: DeadMessage): Promise<SettleAnswer> {
    this.requests.push(`deadLetter ${message.id}`);
    return Promise.resolve(this.answers.deadLetter ?? { kind: 'done' });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The newest subscription to a queue. */
  of(source: QueueSource): FakeSubscription {
    const found = this.subscriptions.findLast((each) => sourceText(each.source) === sourceText(source));
    if (!found) throw new Error('nobody has subscribed');
    return found;
  }
}

export class FakePayloads implements PayloadStore {
  readonly secrets: JsonObject[] = [];
  answer: WriteResult = done();
  /** Told with each create. */
  stored: () => void = () => undefined;

  create(secret: JsonObject): Promise<WriteResult> {
    this.secrets.push(secret);
    this.stored();
    return Promise.resolve(this.answer);
  }
}

/** Every call as one entry: the name of the hook and what it was told. */
export class FakeMessageMeter implements MessageMeter {
  readonly calls: (readonly unknown[])[] = [];
  stage(...told: readonly unknown[]): void { this.calls.push(['stage', ...told]); }
  message(...told: readonly unknown[]): void { this.calls.push(['message', ...told]); }
  batch(...told: readonly unknown[]): void { this.calls.push(['batch', ...told]); }
  inHand(...told: readonly unknown[]): void { this.calls.push(['inHand', ...told]); }
  oldest(...told: readonly unknown[]): void { this.calls.push(['oldest', ...told]); }
  forget(...told: readonly unknown[]): void { this.calls.push(['forget', ...told]); }

  of(hook: string): (readonly unknown[])[] {
    return this.calls.filter(([name]) => name === hook).map(([, ...told]) => told);
  }
}

export const openSource: SourceState = { kind: 'open', leaseLimit: undefined, strict: false, limitName: '' };

/** What is noted on a Job for message "a" of the pg-boss queue "work". */
export function aMessageNote(changes: Partial<MessageNote> = {}): MessageNote {
  return {
    id: 'a', source: pgBossSource('work'), receipt: { id: 'a' }, delivery: 1, serial: 1, attempt: 1, tries: 1, settle: 'onCompletion', sha256: '00', leasedAt: 0,
    retry: { attempts: 1, within: undefined, delay: 0, factor: 1, maxDelay: 0, exitCodes: undefined, onOOM: undefined }, ...changes,
  };
}

/** A lease as a source hands it out. */
export function aDelivery(id: string, changes: Partial<Lease> = {}): Lease {
  return {
    token: `token-${id}`, id, delivery: 1, receipt: { handle: `handle-${id}` }, since: 0,
    message: { id, body: Buffer.from('{}'), headers: {}, contentType: undefined, enqueuedAt: undefined },
    ...changes,
  };
}

/** Runs that messages start: none is there before. */
export class FakeMessageRuns implements MessageRuns {
  readonly problem = undefined;
  readonly created: NewRecord[] = [];
  /** `NAME as`. */
  readonly marks: string[] = [];
  readonly answers: { create?: WriteResult[]; mark?: WriteResult[] } = {};
  of(): readonly never[] { return []; }
  hasSeen(): boolean { return false; }
  create(record: NewRecord): Promise<WriteResult> {
    this.created.push(record);
    return Promise.resolve(this.answers.create?.shift() ?? done('uid-of-run'));
  }
  mark({ name }: { readonly name: string }, { as }: SettledNote): Promise<WriteResult> {
    this.marks.push(`${name} ${as}`);
    return Promise.resolve(this.answers.mark?.shift() ?? done('uid-of-run'));
  }
}
