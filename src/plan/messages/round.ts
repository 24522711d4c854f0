/** What the parts of one round of a Queue that leases messages share. */
import type { MessageQueueSpec } from '../../spec/queue.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { Stand } from '../draft.ts';
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
  /** Where messages start runs: of what, or why none can be started. */
  readonly runs?: { readonly spec: WorkflowSpec } | { readonly held: Stand };
}
