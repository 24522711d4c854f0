/**
 * Writes Kubernetes Events, one request at a time, behind everybody's back: a slow API server fills the queue, a full
 * queue drops. Modes: idle → writing → idle; off after a 403; closed.
 */
import { digest } from '../../lib/digest.ts';
import { stringAt } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Clock } from '../../lib/clock.ts';
import type { EventSink, Log } from '../../reconcile/ports.ts';
import type { KubernetesClient } from './client.ts';
import { EventCorrelator } from './event-correlator.ts';
import type { Slot } from './event-correlator.ts';
import { apiVersionOf, configMaps, events, jobs } from './resources.ts';
import type { Resource } from './resources.ts';

type Emission = Parameters<EventSink['emit']>[0];

export interface EventSinkOptions {
  readonly client: Pick<KubernetesClient, 'create' | 'mergePatch' | 'namespace'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this process, such as the pod's: reportingInstance. */
  readonly identity: string;
  /** False: nothing is ever written. Default true. */
  readonly enabled?: boolean;
}

interface Task {
  readonly emission: Emission;
  readonly involved: JsonObject;
  readonly slot: Slot;
  readonly message: string;
  readonly at: number;
  /** How often it had happened then. */
  readonly count: number;
}

const longestQueue = 1000;
const closingTime = 3_000;
/** Nothing waits for an Event: whatever else has to be sent goes before it. */
const background = { priority: 'last' } as const;
/** The API server refuses more. */
const longestMessage = 1024;

export class KubernetesEvents implements EventSink {
  readonly #options: EventSinkOptions;
  readonly #correlator: EventCorrelator;
  #queue: Task[] = [];
  #writing: Promise<void> | undefined;
  #off: boolean;
  #written = 0;

  constructor(options: EventSinkOptions) {
    this.#options = options;
    this.#correlator = new EventCorrelator(options.clock);
    this.#off = options.enabled === false;
  }

  emit(emission: Emission): void {
    const target = emission.configMap ?? emission.related;
    if (this.#off || !target || this.#queue.length >= longestQueue) return;
    const correlated = this.#correlator.correlate({ object: target.uid, type: emission.type, reason: emission.reason, message: emission.message });
    if (correlated.kind === 'drop') return;
    const { slot, message } = correlated;
    const involved = this.#reference(emission.configMap ? configMaps : jobs, target);
    this.#queue.push({ emission, involved, slot, message: cut(message), at: this.#options.clock.now(), count: slot.count });
    this.#writing ??= this.#write();
  }

  /** Resolves when everything emitted so far is written or given up. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Takes no more, and gives what is left a moment: an exit must not wait for a slow API server. */
  async close(): Promise<void> {
    this.#off = true;
    const limit = this.#options.clock.timer(closingTime, () => {
      this.#queue = [];
    });
    await this.#writing;
    limit.cancel();
  }

  async #write(): Promise<void> {
    for (let task = this.#queue.shift(); task; task = this.#queue.shift()) await this.#store(task);
    this.#writing = undefined;
  }

  async #store(task: Task): Promise<void> {
    const { slot } = task;
    if (slot.name !== undefined) {
      const result = await this.#options.client.mergePatch(events, slot.name, { count: task.count, lastTimestamp: timestamp(task.at), message: task.message }, background);
      // Events live for an hour: the next of its kind starts a new one.
      if (result.kind !== 'gone') {
        if (result.kind === 'forbidden') this.#switchOff(result.message);
        return;
      }
      slot.name = undefined;
    }
    const name = this.#name(task);
    const result = await this.#options.client.create(events, this.#event(name, task), background);
    if (result.kind === 'done') slot.name = name;
    else if (result.kind === 'forbidden') this.#switchOff(result.message);
    else this.#options.log.debug({ reason: task.emission.reason, result: result.kind }, 'event could not be written');
  }

  #event(name: string, task: Task): JsonObject {
    const { emission, involved, slot, at, message, count } = task;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: this.#options.client.namespace },
      involvedObject: involved,
      ...(emission.configMap && emission.related ? { related: this.#reference(jobs, emission.related) } : {}),
      type: emission.type,
      reason: emission.reason,
      message,
      count,
      firstTimestamp: timestamp(slot.firstSeen),
      lastTimestamp: timestamp(at),
      source: { component: 'job-chief' },
      reportingComponent: 'job-chief',
      reportingInstance: this.#options.identity,
    };
  }

  #reference(resource: Resource, object: { name: string; uid: string }): JsonObject {
    return { apiVersion: apiVersionOf(resource), kind: resource.kind, namespace: this.#options.client.namespace, name: object.name, uid: object.uid };
  }

  /** Sorted by object, as client-go's; the hash keeps the names of two controllers and of one moment apart. */
  #name(task: Task): string {
    this.#written += 1;
    const unique = digest([this.#options.identity, task.at, this.#written], 16);
    return `${(stringAt(task.involved, 'name') ?? '').slice(0, 200)}.${unique}`;
  }

  #switchOff(message: string): void {
    if (this.#off) return;
    this.#off = true;
    this.#queue = [];
    this.#options.log.warn({ error: message }, 'no right to write events: they are switched off');
  }
}

function timestamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function cut(message: string): string {
  const bytes = Buffer.from(message);
  return bytes.length <= longestMessage ? message : `${bytes.subarray(0, longestMessage - 3).toString('utf8').replace(/\uFFFD+$/, '')}…`;
}
