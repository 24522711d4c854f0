/** What the HTTP API reports. Both metrics are registered on the first request: without the API there are none. */
import { lazy } from '../../lib/lazy.ts';
import { metrics } from './names.ts';
import { counter, histogram, type MetricRegistry } from './registry.ts';

/** The hook of the API's server. */
export function createHttpMeter(registry: MetricRegistry): (route: string, code: number, seconds: number) => void {
  const made = lazy(() => ({ requests: counter(registry, metrics.httpRequests), duration: histogram(registry, metrics.httpDuration) }));
  return (route, code, seconds) => {
    const { requests, duration } = made();
    requests.inc({ route, code: String(code) });
    duration.observe({ route }, seconds);
  };
}
