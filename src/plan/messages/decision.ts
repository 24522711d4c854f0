/** What is to be done about one message: the words in which the rows of docs/adr/0015-owning-a-message.md end. */
import type { QueueSource } from '../../spec/queue-source.ts';
import type { Reason } from '../reason.ts';
import type { SettleMessage, Settling } from './action.ts';
import { carrierId, carrierRef } from './carrier.ts';
import type { Receipt } from './message.ts';
import type { LeaseInHand, MessagesView } from './observed.ts';
import { isSameLease, isUsable, type MessageJobView, type MessageView } from './view.ts';

export type Decision =
  /** Until something happens, or until that time. `for`: it is to get a Job, and a create is on its way, or a pod of the last one still lives. */
  | { readonly kind: 'wait'; readonly until?: number; readonly for?: 'create' | 'pods' }
  | { readonly kind: 'start'; readonly lease: LeaseInHand; readonly next: Next; /** Milliseconds since 1970. */ readonly notBefore: number }
  /** Store the content once more. */
  | { readonly kind: 'post'; readonly lease: LeaseInHand; readonly job: MessageJobView }
  | { readonly kind: 'settle'; readonly action: SettleMessage }
  /** Take over the delivery of a process before. `until`: what is done where it brings nothing. */
  | { readonly kind: 'adopt'; readonly receipt: Receipt; readonly until?: number };

/** How the next Job of a message counts. */
export interface Next {
  readonly serial: number;
  readonly attempt: number;
  readonly tries: number;
}

export const nothing: Decision = { kind: 'wait' };

/** How the queue can be told: by a lease in hand, or with the receipt of a process before. */
export interface Delivery {
  readonly token: string | undefined;
  readonly receipt: Receipt;
  readonly lease: LeaseInHand | undefined;
}

/** The lease under which the Job was made, else the newest; without any the receipt of the note, unless it was tried in vain. */
export function deliveryOf(job: MessageJobView, { leases }: MessageView, { lost }: MessagesView): Delivery | undefined {
  const { note } = job.message;
  const lease = leases.find((one) => isSameLease(note, one)) ?? leases.at(-1);
  if (lease) return { token: lease.token, receipt: lease.receipt, lease };
  return isUsable(note.receipt) && !lost.has(carrierId(job)) ? { token: undefined, receipt: note.receipt, lease: undefined } : undefined;
}

const reasons = { complete: 'MessageCompleted', fail: 'MessageReturned', dead: 'MessageDead', release: 'MessageReleased', returned: 'MessageReturned', kept: 'MessageKept', presumed: 'MessagePresumed', taken: 'MessageTaken' } as const satisfies Record<string, Reason>;

function reasonOf(how: Settling): Reason {
  if (how.kind === 'note') return reasons[how.as];
  return how.kind === 'complete' && how.as === 'taken' ? reasons.taken : reasons[how.kind];
}

export interface Settled {
  readonly how: Settling;
  readonly because: string;
  readonly reason?: Reason;
  /** What is written on; undefined: nothing. */
  readonly job?: MessageJobView;
  readonly delivery: Pick<Delivery, 'token' | 'receipt'>;
}

/** The decision to tell the queue, or to write it down, with the reason that goes with it. */
export function settle(source: QueueSource, id: string, { how, because, reason, job, delivery }: Settled): Decision {
  return { kind: 'settle', action: { kind: 'settle', reason: reason ?? reasonOf(how), because, source, id, job: job && carrierRef(job), token: delivery.token, receipt: delivery.receipt, how } };
}
