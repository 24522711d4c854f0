/** What becomes of messages, for logs and metrics: a line for each Job and each settlement, and never what is in a message. */
import type { Clock } from '../../lib/clock.ts';
import { idsOf, type SettleMessage } from '../../plan/messages/action.ts';
import type { LeaseInHand } from '../../plan/messages/observed.ts';
import type { SpecKey } from '../../plan/observed.ts';
import { specText } from '../key.ts';
import type { MessageMeter, MessageResult, Meter } from '../meter.ts';
import type { Log } from '../ports.ts';
import type { MessageNews } from './message-task.ts';

export interface MessageReporterDeps {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly messageMeter: MessageMeter;
  readonly log: Log;
}

export class MessageReporter {
  readonly #deps: MessageReporterDeps;

  constructor(deps: MessageReporterDeps) {
    this.#deps = deps;
  }

  leased({ id, message, delivery, token: _token }: LeaseInHand, key: SpecKey): void {
    const { clock, messageMeter, log } = this.#deps;
    if (message?.enqueuedAt !== undefined) messageMeter.stage('enqueued_to_leased', seconds(clock.now() - message.enqueuedAt));
    log.debug({ spec: specText(key), code: 'MessageReceived', messageId: id, delivery }, 'a message came into hand');
  }

  lost({ id }: LeaseInHand, key: SpecKey, why: string): void {
    const { messageMeter, log } = this.#deps;
    messageMeter.message(key, 'lease_lost');
    log.warn({ spec: specText(key), code: 'LeaseLost', messageId: id, because: why }, 'a message is not in hand any more');
  }

  /** A Job is counted once, and each of its messages. */
  #created(key: SpecKey, { action, took, waits = took === undefined ? [] : [took] }: Pick<MessageNews, 'action' | 'took' | 'waits'>): void {
    const { meter, messageMeter } = this.#deps;
    // What a run starts is counted there.
    if (action.kind !== 'startRun') meter.created(key, seconds(took ?? 0));
    if (action.kind === 'startBatch') messageMeter.batch(action.messages.length);
    for (const _id of idsOf(action)) messageMeter.message(key, 'created');
    for (const wait of waits) messageMeter.stage('leased_to_created', seconds(wait));
  }

  told(key: SpecKey, { action, step, result, message, job, took, waits }: MessageNews): void {
    const { meter, messageMeter, log } = this.#deps;
    const fields = { spec: specText(key), action: action.kind, code: action.reason, messageId: action.id, job: job?.name, result, because: message };
    switch (step) {
      case 'created':
        meter.action(key, action.kind, action.reason, result);
        this.#created(key, { action, took, ...(waits && { waits }) });
        log.info(fields, startedTexts[action.kind] ?? 'a Job was created for a message');
        return;
      case 'posted':
        messageMeter.message(key, 'payload_posted');
        log.debug(fields, 'the payload of a message is stored');
        return;
      case 'settled':
        meter.action(key, action.kind, action.reason, result);
        if (action.kind === 'settle') messageMeter.message(key, resultOf(action));
        if (took !== undefined) messageMeter.stage('finished_to_settled', seconds(took));
        log.info(fields, 'a message was settled');
        return;
      case 'dropped':
        meter.action(key, action.kind, action.reason, result);
        log.warn(fields, 'the Job of a batch was deleted that was never let go');
        return;
      case 'failed':
        meter.action(key, action.kind, action.reason, result);
        log.warn(fields, 'what was decided about a message did not come through');
    }
  }
}

const startedTexts: Readonly<Partial<Record<MessageNews['action']['kind'], string>>> = { startBatch: 'a Job was created for a batch of messages', startRun: 'a run was started for a message' };

function seconds(milliseconds: number): number {
  return Math.max(0, milliseconds) / 1000;
}

/** What became of the message, as the metrics have it. */
function resultOf({ reason, how, job }: SettleMessage): MessageResult {
  if (reason === 'MessageInvalid') return 'invalid';
  switch (how.kind) {
    case 'complete':
      return job ? how.as : 'duplicate';
    case 'fail':
      return 'returned';
    case 'dead':
      return 'dead';
    case 'note':
      return how.as;
    case 'release':
      return 'released';
  }
}
