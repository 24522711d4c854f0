/** What goes wrong between a process and its queues. */
import type { VirtualClock } from './clock.ts';
import type { Random } from './random.ts';

export type MessageCall = 'open' | 'fetch' | 'settle' | 'deadLetter' | 'renew' | 'adopt' | 'depth';

/** `before` and `after` it took effect: no answer in either case, and nobody can tell which. */
export type MessageFault = 'before' | 'after' | 'slow';

/** Asked once for each request. */
export type MessageFaultPlan = (call: MessageCall) => MessageFault | undefined;

export const noMessageFaults: MessageFaultPlan = () => undefined;

export interface RandomMessageFaults {
  readonly random: Random;
  readonly clock: VirtualClock;
  /** Probability that something goes wrong. */
  readonly rate: number;
  /** No faults from this virtual time on, milliseconds since 1970. */
  readonly until: number;
}

/** The same faults in every run with the same seed and the same requests. */
export function randomMessageFaults({ random, clock, rate, until }: RandomMessageFaults): MessageFaultPlan {
  return () => (clock.now() < until && random.chance(rate) ? random.pick(['before', 'after', 'slow'] as const) : undefined);
}

/** Exactly these, each used up in turn. */
export function plannedMessageFaults(planned: readonly { readonly call: MessageCall; readonly fault: MessageFault; readonly times?: number }[]): MessageFaultPlan {
  const left = planned.map(({ times = 1 }) => times);
  return (call) => {
    const index = planned.findIndex((one, at) => one.call === call && (left[at] ?? 0) > 0);
    if (index < 0) return undefined;
    left[index] = (left[index] ?? 0) - 1;
    return planned[index]?.fault;
  };
}
