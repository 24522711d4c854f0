/** A plan while it is being made. */
import type { Action, ClaimStatus, Demand, Plan, State } from './action.ts';
import { earliest } from './give-up.ts';
import type { LeaseDemand, MessageAction } from './messages/action.ts';
import type { Reason } from './reason.ts';

/** What a spec is doing and why, before it becomes a status. */
export interface Stand {
  readonly state: State;
  readonly reason: Reason;
  readonly message: string;
}

/** What plans of all kinds are made of. */
export class DraftOf<A, D> {
  readonly actions: A[] = [];
  readonly demands: D[] = [];
  readonly statuses: ClaimStatus[] = [];
  /** Jobs that would start, if the limits of the instance had room for them. */
  #wants = 0;
  #wakes: (number | undefined)[] = [];

  act(...actions: readonly A[]): void {
    this.actions.push(...actions);
  }

  demand(demand: D): void {
    this.demands.push(demand);
  }

  /** The plan may differ at this time; undefined: not by itself. */
  wake(at: number | undefined): void {
    this.#wakes.push(at);
  }

  /** So many more would start if there were room. */
  want(jobs: number): void {
    this.#wants += jobs;
  }

  finish(now: number): Finished<A, D> {
    return {
      actions: this.actions,
      demands: this.demands,
      statuses: this.statuses,
      // What was due by now is part of this plan: the same plan again, at once and without end, would not change it.
      wants: this.#wants,
      wakeAt: earliest(this.#wakes.filter((at) => at !== undefined && at > now)),
    };
  }
}

interface Finished<A, D> {
  readonly actions: readonly A[];
  readonly demands: readonly D[];
  readonly statuses: readonly ClaimStatus[];
  readonly wants: number;
  readonly wakeAt: number | undefined;
}

/** The plan of a Queue. */
export class Draft extends DraftOf<Action, Demand> {
  readonly messages: MessageAction[] = [];
  readonly leases: LeaseDemand[] = [];

  /** Whether this round ends the Job already: then nothing else is asked or done about it. */
  ends(uid: string): boolean {
    return this.actions.some((action) => action.kind === 'end' && action.job.uid === uid);
  }

  override finish(now: number): Plan {
    const { messages, leases } = this;
    return { ...super.finish(now), ...(messages.length > 0 && { messages }), ...(leases.length > 0 && { leases }) };
  }
}
