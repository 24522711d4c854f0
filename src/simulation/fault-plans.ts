/** Plans of faults: drawn from a seed, or written down for one case. */
import type { ApiRequest } from '../adapters/kubernetes/transport.ts';
import type { ApiServer } from './api-server.ts';
import type { VirtualClock } from './clock.ts';
import type { FaultPlan, RequestFault, WatchFault } from './faults.ts';
import type { Random } from './random.ts';

/** Probabilities by kind. */
export interface FaultRates {
  /** Before any effect: connection refused, 429, 500, 503. */
  readonly refused?: number;
  /** Takes effect, no answer: connection broken, or silence until the client gives up. */
  readonly answerLost?: number;
  readonly slow?: number;
  /** Watches that are cut, fall silent, run late, or cannot start from their version. */
  readonly watch?: number;
}

export interface RandomFaultsOptions {
  readonly random: Random;
  readonly clock: VirtualClock;
  readonly rates: FaultRates;
  /** No faults from this virtual time on (milliseconds since 1970): the system must then converge. */
  readonly until?: number;
  /** Which requests are left alone. */
  readonly spare?: (request: ApiRequest) => boolean;
}

const none: FaultPlan = { request: () => undefined, watch: () => undefined };

/** The same faults in every run with the same seed and the same requests. */
export function randomFaults({ random, clock, rates, until = Infinity, spare = () => false }: RandomFaultsOptions): FaultPlan {
  const active = (request: ApiRequest): boolean => clock.now() < until && !spare(request);
  const { refused = 0, answerLost = 0, slow = 0, watch = 0 } = rates;
  return {
    request: (request) => {
      if (!active(request)) return undefined;
      const draw = random.next();
      if (draw < refused) return randomRefusal(random);
      if (draw < refused + answerLost) return random.chance(0.8) ? { kind: 'answerLost' } : { kind: 'hangs' };
      if (draw < refused + answerLost + slow) return { kind: 'slow', before: random.exponential(1500), after: random.exponential(1500) };
      return undefined;
    },
    watch: (request) => (active(request) && random.chance(watch) ? randomWatchFault(random) : undefined),
  };
}

function randomRefusal(random: Random): RequestFault & WatchFault {
  return random.pick<RequestFault & WatchFault>([
    { kind: 'refused' },
    { kind: 'status', code: 429, retryAfter: random.int(1, 3) },
    { kind: 'status', code: 429 },
    { kind: 'status', code: 500 },
    { kind: 'status', code: 503 },
    { kind: 'status', code: 503, retryAfter: 1 },
  ]);
}

function randomWatchFault(random: Random): WatchFault {
  return random.pick<() => WatchFault>([
    () => randomRefusal(random),
    () => ({ kind: 'cut', after: random.exponential(30_000) }),
    () => ({ kind: 'silent', after: random.exponential(30_000) }),
    () => ({ kind: 'late', by: random.exponential(5000) }),
    () => ({ kind: 'expired', as: random.pick(['event', 'status']) }),
  ])();
}

/** One fault for one request: `when` picks it, `skip` lets so many of them pass first. */
export interface PlannedFault {
  readonly when: (request: ApiRequest) => boolean;
  readonly fault: RequestFault;
  readonly skip?: number;
  /** How many in a row; 1 unless said otherwise. */
  readonly times?: number;
}

export interface PlannedWatchFault {
  readonly when: (request: ApiRequest) => boolean;
  readonly fault: WatchFault;
  readonly times?: number;
}

/** Exactly these faults, each used up in turn. */
export function plannedFaults(requests: readonly PlannedFault[], watches: readonly PlannedWatchFault[] = []): FaultPlan {
  const requestCounts = requests.map(({ skip = 0, times = 1 }) => ({ skip, times }));
  const watchCounts = watches.map(({ times = 1 }) => ({ skip: 0, times }));
  return {
    request: (request) => requests.find(({ when }, index) => when(request) && use(requestCounts[index]))?.fault,
    watch: (request) => watches.find(({ when }, index) => when(request) && use(watchCounts[index]))?.fault,
  };
}

function use(count: { skip: number; times: number } | undefined): boolean {
  if (!count || count.times === 0) return false;
  if (count.skip > 0) {
    count.skip -= 1;
    return false;
  }
  count.times -= 1;
  return true;
}

export const noFaults: FaultPlan = none;

/** Takes the API server down now and then, for everybody. Times in milliseconds. */
export function scheduleOutages(api: ApiServer, clock: VirtualClock, random: Random, times: { every: number; lasting: number; until: number }): void {
  const next = clock.now() + random.exponential(times.every);
  if (next >= times.until) return;
  clock.timer(next - clock.now(), () => {
    api.setAvailable(false);
    clock.timer(random.exponential(times.lasting), () => {
      api.setAvailable(true);
      scheduleOutages(api, clock, random, times);
    });
  });
}
