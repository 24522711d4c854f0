/** Every right that job-chief uses, by the feature that needs it. The Roles in manifests/ hold exactly these. */
import type { Feature, Right } from './permissions.ts';
import { configMaps, events, jobs, pods, type Resource } from './resources.ts';

const rights = (resource: Resource, ...verbs: readonly Right['verb'][]): readonly Right[] => verbs.map((verb) => ({ verb, resource }));

/** What nothing works without. */
export const core: Feature = {
  name: 'jobs',
  rights: [...rights(jobs, 'get', 'list', 'watch', 'create', 'patch', 'delete'), ...rights(pods, 'get', 'list', 'watch')],
};
export const specs: Feature = { name: 'specs from ConfigMaps', rights: rights(configMaps, 'get', 'list', 'watch') };
export const status: Feature = { name: 'status on ConfigMaps', rights: rights(configMaps, 'patch') };
export const eventsFeature: Feature = { name: 'events', rights: rights(events, 'list', 'create', 'patch') };

/** The features that this configuration asks for. */
export function features(config: { readonly specs: 'configMaps' | 'folder'; readonly status: boolean; readonly events: boolean }): readonly Feature[] {
  const fromConfigMaps = config.specs === 'configMaps';
  return [core, ...(fromConfigMaps ? [specs] : []), ...(fromConfigMaps && config.status ? [status] : []), ...(config.events ? [eventsFeature] : [])];
}
