/** What the parts of one round of a Queue share. */
import type { DrainQueueSpec } from '../spec/queue.ts';
import type { PlanEnvironment } from './environment.ts';
import type { Claim, Observed } from './observed.ts';

export interface QueueRound {
  readonly observed: Observed;
  readonly environment: PlanEnvironment;
  readonly now: number;
  readonly spec: DrainQueueSpec;
  readonly winner: Claim;
}
