/** What the HTTP API reports. */
import { metrics } from './names.ts';
import { counter, histogram, type MetricRegistry } from './registry.ts';

/** The hook of the API's server. */
export function createHttpMeter(registry: MetricRegistry): (route: string, code: number, seconds: number) => void {
  const requests = counter(registry, metrics.httpRequests);
  const duration = histogram(registry, metrics.httpDuration);
  return (route, code, seconds) => {
    requests.inc({ route, code: String(code) });
    duration.observe({ route }, seconds);
  };
}
