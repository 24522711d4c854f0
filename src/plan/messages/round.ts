/** What the parts of one round of a Queue that leases messages share. */
import type { MessageQueueSpec } from '../../spec/queue.ts';
import type { PlanEnvironment } from '../environment.ts';
import type { Claim, Observed } from '../observed.ts';
import type { MessagesView } from './observed.ts';

export interface MessageRound {
  readonly observed: Observed;
  readonly environment: PlanEnvironment;
  readonly now: number;
  readonly spec: MessageQueueSpec;
  readonly winner: Claim;
  readonly view: MessagesView;
}
