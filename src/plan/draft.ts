/** A plan while it is being made. */
import type { Action, ClaimStatus, Demand, Plan, State } from './action.ts';
import { earliest } from './give-up.ts';
import type { Reason } from './reason.ts';

/** What a spec is doing and why, before it becomes a status. */
export interface Stand {
  readonly state: State;
  readonly reason: Reason;
  readonly message: string;
}

export class Draft {
  readonly actions: Action[] = [];
  readonly demands: Demand[] = [];
  readonly statuses: ClaimStatus[] = [];
  #wakes: (number | undefined)[] = [];

  act(...actions: readonly Action[]): void {
    this.actions.push(...actions);
  }

  /** Whether this round ends the Job already: then nothing else is asked or done about it. */
  ends(uid: string): boolean {
    return this.actions.some((action) => action.kind === 'end' && action.job.uid === uid);
  }

  demand(demand: Demand): void {
    this.demands.push(demand);
  }

  /** The plan may differ at this time; undefined: not by itself. */
  wake(at: number | undefined): void {
    this.#wakes.push(at);
  }

  finish(now: number): Plan {
    return {
      actions: this.actions,
      demands: this.demands,
      statuses: this.statuses,
      // What was due by now is part of this plan: the same plan again, at once and without end, would not change it.
      wakeAt: earliest(this.#wakes.filter((at) => at !== undefined && at > now)),
    };
  }
}
