/** Kubernetes Events as the cluster's own components write them: counted when repeated, gone after an hour. */
import type { VirtualClock } from './clock.ts';
import { events, type KubeObject, timestamp } from './objects.ts';
import type { Random } from './random.ts';
import type { Registry } from './registry.ts';

/** The API server forgets Events after this time. */
const eventLifetime = 3_600_000;
const sweepInterval = 300_000;

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export class EventRecorder {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #registry: Registry;
  /** Event name by what it says about whom. */
  readonly #names = new Map<string, string>();
  #sweeping = false;

  constructor(deps: { clock: VirtualClock; random: Random; registry: Registry }) {
    this.#clock = deps.clock;
    this.#random = deps.random.split('events');
    this.#registry = deps.registry;
    this.#registry.store.subscribe((change) => {
      if (change.resource === events && change.type !== 'DELETED') this.#scheduleSweep();
    });
  }

  record(about: KubeObject, component: string, { type, reason, message }: EventText): void {
    const key = `${about.metadata.uid} ${reason} ${message}`;
    const known = this.#names.get(key);
    const now = timestamp(this.#clock.now());
    if (known !== undefined && this.#registry.store.get(events, known)) {
      this.#registry.update(events, known, (event) => ({ ...event, count: (event['count'] as number) + 1, lastTimestamp: now }));
      return;
    }
    const { name, namespace, uid, resourceVersion } = about.metadata;
    const event = this.#registry.create(events, {
      metadata: { name: `${name}.${this.#random.suffix(16)}` },
      involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid, resourceVersion },
      type, reason, message, count: 1, firstTimestamp: now, lastTimestamp: now, source: { component }, reportingComponent: component,
    });
    this.#names.set(key, event.metadata.name);
  }

  #scheduleSweep(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#clock.quietTimer(sweepInterval, () => {
      this.#sweeping = false;
      this.#sweep();
    });
  }

  #sweep(): void {
    const oldest = timestamp(this.#clock.now() - eventLifetime);
    const { store } = this.#registry;
    for (const event of [...store.all(events)]) {
      const last = event['lastTimestamp'];
      if ((typeof last === 'string' ? last : event.metadata.creationTimestamp) < oldest) store.remove(events, event.metadata.name);
    }
    for (const [key, name] of this.#names) if (!store.get(events, name)) this.#names.delete(key);
    if (store.count(events) > 0) this.#scheduleSweep();
  }
}
