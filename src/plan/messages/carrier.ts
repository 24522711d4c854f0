/**
 * What carries a message: a Job of its own, one completion index of a Job for several, or a run of a template or workflow.
 * What is decided about messages looks at all three as at Jobs; only writing on them differs.
 */
import type { Json } from '../../lib/json.ts';
import type { JobRef } from '../job-parts.ts';
import type { ObservedJob } from '../observed.ts';
import type { MessageJobFacts } from './message.ts';

/** Absent of a Job that carries one message alone. */
export type Carrier = { readonly kind: 'Run' } | { readonly kind: 'index'; readonly index: number };

/** A Job that was made for a message, or what stands for one. */
export interface MessageJobView extends ObservedJob {
  readonly message: MessageJobFacts;
  readonly carrier?: Carrier;
  /** Of a run; those of Jobs are read from their pods. */
  readonly outputs?: Readonly<Record<string, Json>>;
  /** A person ended it: job-chief makes no other attempt by itself. */
  readonly cancelled?: true;
}

/** What a write needs to reach it. */
export interface CarrierRef extends JobRef {
  readonly carrier?: Carrier;
}

/** Of this Job, index or run. */
export function carrierRef({ name, uid, resourceVersion, carrier }: MessageJobView): CarrierRef {
  return { name, uid, resourceVersion, ...(carrier && { carrier }) };
}

/** Tells it from all others: several indexes share the UID of their Job. */
export function carrierId({ uid, carrier }: Pick<CarrierRef, 'uid' | 'carrier'>): string {
  return carrier?.kind === 'index' ? `${uid}/${carrier.index}` : uid;
}

/** For people: `Job "a"`, `index 3 of Job "a"`, `run "a"`. */
export function carrierText({ name, carrier }: Pick<CarrierRef, 'name' | 'carrier'>): string {
  if (carrier?.kind === 'Run') return `run "${name}"`;
  return carrier ? `index ${carrier.index} of Job "${name}"` : `Job "${name}"`;
}
