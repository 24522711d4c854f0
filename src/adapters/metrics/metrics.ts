/** All of job-chief's metrics in one piece, as the composition root hands them out. */
import type { Clock } from '../../lib/clock.ts';
import type { MessageMeter, Meter, RunMeter, WorkQueueMeter } from '../../reconcile/meter.ts';
import { createCapacityMeter, type CapacityReading } from './capacity.ts';
import { createHttpMeter } from './http.ts';
import { createClientMeter, createWatchMeters, type ClientMeter, type WatchMeter } from './kubernetes.ts';
import { createMessageMeter } from './message-meter.ts';
import { createMeter } from './meter.ts';
import { metrics } from './names.ts';
import { addProcessMetrics, createRegistry, expose, gauge, type Exposition } from './registry.ts';
import { createRunMeter } from './run-meter.ts';
import { createWorkQueueMeter } from './work-queue.ts';

export interface Metrics {
  readonly meter: Meter;
  readonly runs: RunMeter;
  readonly messages: MessageMeter;
  readonly workQueue: WorkQueueMeter;
  readonly client: ClientMeter;
  /** The hooks of one watch; call it once per resource. */
  readonly watch: (resource: string) => WatchMeter;
  /** The hook of an elector; `lease` is the name of its Lease. */
  readonly leader: (lease: string) => (leading: boolean) => void;
  /** What the self-check at the start found; `unknown` leaves no series. */
  readonly feature: (name: string, state: 'on' | 'off' | 'unknown') => void;
  /** The hook of the HTTP API. `route`: operation of its document. */
  readonly http: (route: string, code: number, seconds: number) => void;
  /** Takes what is read about the limits of the instance. */
  readonly capacity: (reading: CapacityReading) => void;
  /** Everything as text, in the format that an Accept header asks for. */
  expose(accept: string | undefined): Promise<Exposition>;
}

export interface MetricsOptions {
  readonly clock: Clock;
  readonly version: string;
  /** `host:port` of the API server: a label that operators of several clusters tell instances apart by. */
  readonly apiServer: string;
  /** Memory, CPU and event loop of this process; a simulation leaves them out. */
  readonly process: boolean;
}

export function createMetrics({ clock, version, apiServer, process: withProcess }: MetricsOptions): Metrics {
  const registry = createRegistry();
  gauge(registry, metrics.buildInfo).set({ version, node_version: globalThis.process.version }, 1);
  const leaderStatus = gauge(registry, metrics.leaderStatus);
  const featureRights = gauge(registry, metrics.featureRights);
  if (withProcess) addProcessMetrics(registry);
  return {
    meter: createMeter({ registry, clock }),
    runs: createRunMeter(registry),
    messages: createMessageMeter(registry),
    workQueue: createWorkQueueMeter(registry),
    client: createClientMeter(registry, apiServer),
    watch: createWatchMeters(registry, clock),
    leader: (lease) => (leading) => leaderStatus.set({ name: lease }, leading ? 1 : 0),
    feature: (name, state) => { if (state !== 'unknown') featureRights.set({ feature: name }, state === 'on' ? 1 : 0); },
    http: createHttpMeter(registry),
    capacity: createCapacityMeter(registry),
    expose: (accept) => expose(registry, accept),
  };
}
