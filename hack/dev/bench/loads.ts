/**
 * Four loads in which tools that count messages and start anonymous Jobs make up to 43 Jobs for each message, or let
 * messages wait for minutes: bursts with pods that start slowly, long work with more coming, a steady trickle. Times in
 * milliseconds.
 */
const second = 1000;
const minute = 60 * second;

export interface Load {
  readonly name: string;
  readonly what: string;
  /** When so many are sent, from the beginning. */
  readonly sends: readonly { readonly at: number; readonly count: number }[];
  /** From a Job's creation to its running container. */
  readonly startsAfter: number;
  readonly runs: number;
  /** Jobs at once. */
  readonly max: number;
}

const trickle = Array.from({ length: 80 }, (_, index) => ({ at: index * 15 * second, count: 1 }));

export const loads: readonly Load[] = [
  { name: 'A', what: 'a burst of 40, whose pods start in 90 s and run for 60 s', sends: [{ at: 0, count: 40 }], startsAfter: 90 * second, runs: minute, max: 100 },
  { name: 'B', what: 'a burst of 40, and 20 more after 65 s, which run for 10 min', sends: [{ at: 0, count: 40 }, { at: 65 * second, count: 20 }], startsAfter: 3 * second, runs: 10 * minute, max: 100 },
  { name: 'C', what: 'one each 15 s for 20 min, which run for 5 min', sends: trickle, startsAfter: 3 * second, runs: 5 * minute, max: 30 },
  { name: 'D', what: 'a burst of 40, whose pods start in 15 s and run for 20 s', sends: [{ at: 0, count: 40 }], startsAfter: 15 * second, runs: 20 * second, max: 100 },
];

export function messagesOf({ sends }: Load): number {
  return sends.reduce((sum, { count }) => sum + count, 0);
}
