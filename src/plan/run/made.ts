/** What one attempt is to create, or why that is not known. */
import type { CreateStepJob, CreateSubRun } from './action.ts';
import type { ReasonFor } from './step-reason.ts';

/** `wait`: an output of that step is still to come. `problem`: what is to be created cannot be. */
export type Made = Creation | NotMade;
export interface Creation {
  readonly kind: 'made';
  /** Of the Job or record. */
  readonly name: string;
  readonly action: CreateStepJob | CreateSubRun;
  /** Quantity that onOOM gave it. */
  readonly memory?: string;
}
export type NotMade = { readonly kind: 'wait'; readonly step: string } | { readonly kind: 'problem'; readonly reason: ReasonFor<'errored'>; readonly message: string };
