/** What the Kubernetes client and its watches report. Plain hooks: the Kubernetes adapter takes them as functions. */
import type { Clock } from '../../lib/clock.ts';
import { closed, eventTypes, relistReasons } from './closed.ts';
import { metrics } from './names.ts';
import { counter, gauge, histogram, type MetricRegistry } from './registry.ts';

/** Hooks of the API client. `code` is the HTTP status; undefined: no answer. */
export interface ClientMeter {
  request(method: string, code: number | undefined, seconds: number): void;
  /** A watch was opened, or could not be: counted, but its hours are no latency. */
  watch(code: number | undefined): void;
  retry(method: string, code: number | undefined): void;
}

export function createClientMeter(registry: MetricRegistry, host: string): ClientMeter {
  const requests = counter(registry, metrics.requests);
  const duration = histogram(registry, metrics.requestDuration);
  const retries = counter(registry, metrics.requestRetries);
  return {
    request: (method, code, seconds) => {
      requests.inc({ code: codeLabel(code), method, host });
      duration.observe({ verb: method, host }, seconds);
    },
    watch: (code) => requests.inc({ code: codeLabel(code), method: 'GET', host }),
    retry: (method, code) => retries.inc({ code: codeLabel(code), verb: method, host }),
  };
}

/** client-go's word for a request without an answer. */
function codeLabel(code: number | undefined): string {
  return code === undefined ? '<error>' : String(code);
}

/** Hooks of one watch. */
export interface WatchMeter {
  /** The API server was heard: an event, a bookmark, a finished list. */
  contact(): void;
  /** `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK`, `ERROR`. Counts as contact. */
  event(type: string): void;
  /** `start`, `expired` (410), `stale` (silent for too long), `error`. */
  relist(reason: string): void;
  poison(): void;
  size(objects: number): void;
}

/** Makes the hooks of one watch; `resource` is a plural such as `jobs`. */
export function createWatchMeters(registry: MetricRegistry, clock: Clock): (resource: string) => WatchMeter {
  const contacts = new Map<string, number>();
  gauge(registry, metrics.watchAge, (made) => {
    for (const [resource, at] of contacts) made.set({ resource }, (clock.monotonic() - at) / 1000);
  });
  const events = counter(registry, metrics.watchEvents);
  const relists = counter(registry, metrics.relists);
  const poison = counter(registry, metrics.poison);
  const objects = gauge(registry, metrics.cacheObjects);
  return (resource) => {
    const contact = (): void => void contacts.set(resource, clock.monotonic());
    for (const type of eventTypes) events.inc({ resource, type }, 0);
    for (const reason of relistReasons) relists.inc({ resource, reason }, 0);
    poison.inc({ resource }, 0);
    contact();
    return {
      contact,
      event: (type) => {
        contact();
        events.inc({ resource, type: closed(type.toLowerCase(), eventTypes) });
      },
      relist: (reason) => relists.inc({ resource, reason: closed(reason, relistReasons) }),
      poison: () => poison.inc({ resource }),
      size: (count) => objects.set({ resource }, count),
    };
  };
}
