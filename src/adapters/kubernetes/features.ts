/** Every right that job-chief uses, by the feature that needs it. The Roles in manifests/ hold exactly these. */
import type { Config } from '../../config/config.ts';
import type { Feature, Right } from './permissions.ts';
import { configMaps, events, jobs, leases, pods, secrets, type Resource } from './resources.ts';

const rights = (resource: Resource, ...verbs: readonly Right['verb'][]): readonly Right[] => verbs.map((verb) => ({ verb, resource }));

/** What nothing works without. */
export const core: Feature = {
  name: 'jobs',
  rights: [...rights(jobs, 'get', 'list', 'watch', 'create', 'patch', 'delete'), ...rights(pods, 'get', 'list', 'watch')],
};
export const specs: Feature = { name: 'specs from ConfigMaps', rights: rights(configMaps, 'get', 'list', 'watch') };
export const status: Feature = { name: 'status on ConfigMaps', rights: rights(configMaps, 'patch') };
/** What runs of workflows are kept in, and the files that their pods mount. Kubernetes cannot limit a right to a label. */
export const records: Feature = { name: 'records', rights: rights(configMaps, 'get', 'list', 'watch', 'create', 'patch', 'delete') };
export const eventsFeature: Feature = { name: 'events', rights: rights(events, 'list', 'create', 'patch') };

/** What Queues with `perMessage` hand to their Jobs. Whether there are such Queues, their ConfigMaps say. */
export const payloads: Feature = { name: 'payloads of messages', rights: rights(secrets, 'create'), optional: true };

/** What became of messages, for such Queues. Each is read before it is written. */
export const history: Feature = { name: 'history of messages', rights: rights(configMaps, 'get', 'create', 'patch'), optional: true };

/** What the HTTP API reads beside what everything reads. Its writes are those of records. */
export const logsFeature: Feature = { name: 'logs over HTTP', rights: [{ verb: 'get', resource: pods, subresource: 'log' }] };

/** Read and renewed by name; Kubernetes cannot limit a create to a name. */
export function highAvailability(lease: string): Feature {
  const named = rights(leases, 'get', 'patch').map((right) => ({ ...right, name: lease }));
  return { name: 'high availability', rights: [...named, ...rights(leases, 'create')] };
}

export interface WantedFeatures {
  readonly specs: 'configMaps' | 'folder';
  readonly status: boolean;
  readonly records: boolean;
  readonly messageHistory: boolean;
  readonly events: boolean;
  readonly httpApi: boolean;
  /** The Lease's name; undefined: no high availability. */
  readonly lease: string | undefined;
}

/** What a configuration asks for. */
export function wantedFeatures({ specs: { kind }, status: { writeBack }, records: { enabled }, messageHistory, events: write, httpApi: { enabled: http }, highAvailability: { enabled: several, lease } }: Config): WantedFeatures {
  return { specs: kind, status: writeBack, records: enabled, messageHistory, events: write, httpApi: http, lease: several ? lease : undefined };
}

/** The features that are asked for, each with its rights. */
export function features(config: WantedFeatures): readonly Feature[] {
  const fromConfigMaps = config.specs === 'configMaps';
  return [
    core,
    ...(fromConfigMaps ? [specs] : []),
    ...(fromConfigMaps && config.status ? [status] : []),
    ...(config.records ? [records] : []),
    ...(config.events ? [eventsFeature] : []),
    payloads,
    ...(config.messageHistory ? [history] : []),
    ...(config.httpApi ? [logsFeature] : []),
    ...(config.lease === undefined ? [] : [highAvailability(config.lease)]),
  ];
}
