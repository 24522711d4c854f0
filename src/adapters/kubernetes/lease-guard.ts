/**
 * The last gate before the network. A change may have waited since it was decided: for the rate limit, for the slow start
 * of creates, for a Retry-After of up to a minute. Whoever is no longer the leader by then must not send it.
 */
import type { Leadership } from '../../reconcile/leadership.ts';
import { configMaps, jobs, pathOf } from './resources.ts';
import type { ApiRequest, Transport } from './transport.ts';

/** The same transport, on which only the leader changes Jobs and ConfigMaps. Reads, dry runs and Events always pass. */
export function whileLeading(transport: Transport, leadership: Leadership, namespace: string): Transport {
  const guarded = [jobs, configMaps].map((resource) => pathOf(resource, namespace));
  const changes = ({ method, path, query }: ApiRequest): boolean => method !== 'GET' && query?.['dryRun'] === undefined && guarded.some((start) => path.startsWith(start));
  return {
    request: (request) => (changes(request) && !leadership.leading ? Promise.reject(new Error('not sent: another replica leads, or may lead')) : transport.request(request)),
    stream: (request) => transport.stream(request),
  };
}
