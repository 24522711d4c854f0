/** What the cluster itself says about an object: why a pod is not scheduled, why a Job has no pod. */
import { numberAt, objectAt, stringAt } from '../../lib/json.ts';
import type { EventReader, Log } from '../../reconcile/ports.ts';
import { isForbidden } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { timeAt } from './labels.ts';
import { events } from './resources.ts';

/** An object with trouble has a handful; the rest repeats. */
const most = 100;

/** Warnings only: that a pod was scheduled or an image pulled explains nothing. Without the right it stays silent for good. */
export class KubernetesEventReader implements EventReader {
  readonly #client: Pick<KubernetesClient, 'list'>;
  readonly #log: Log;
  #off: boolean;

  constructor(options: { readonly client: Pick<KubernetesClient, 'list'>; readonly log: Log; readonly enabled?: boolean }) {
    this.#client = options.client;
    this.#off = options.enabled === false;
    this.#log = options.log;
  }

  async texts(object: { kind: 'Job' | 'Pod'; name: string; uid: string }): Promise<readonly string[]> {
    if (this.#off) return [];
    const fieldSelector = `involvedObject.uid=${object.uid},involvedObject.kind=${object.kind},type=Warning`;
    const result = await this.#client.list(events, { fieldSelector, limit: most });
    if (result.kind === 'page') return result.page.items.toSorted((a, b) => lastSeen(b) - lastSeen(a)).map(textOf);
    if (isForbidden(result.failure)) this.#switchOff(result.failure.message);
    return [];
  }

  /** Several questions may be under way when the first is refused. */
  #switchOff(error: string): void {
    if (this.#off) return;
    this.#off = true;
    this.#log.info({ error }, "no right to list events: the cluster's own explanations are left out");
  }
}

function textOf(event: unknown): string {
  return `${stringAt(event, 'reason') ?? 'Warning'}: ${(stringAt(event, 'message') ?? '').replaceAll(/\s+/g, ' ').trim()}`;
}

/** Each generation of the Events API keeps its last time elsewhere. */
function lastSeen(event: unknown): number {
  const times = [timeAt(objectAt(event, 'series'), 'lastObservedTime'), timeAt(event, 'lastTimestamp'), timeAt(event, 'eventTime'), timeAt(objectAt(event, 'metadata'), 'creationTimestamp')];
  return Math.max(0, ...times.filter((time) => time !== undefined)) + (numberAt(event, 'count') ?? 0) / 1e6;
}
