import type { Channel } from './message-broker.ts';
import type { Delivery } from './message-queue.ts';

/** A delivery in the hand of this process. */
export interface Held {
  readonly delivery: Delivery;
  readonly channel: Channel;
  /** Told when it is in hand no more. */
  readonly forget: () => void;
}
