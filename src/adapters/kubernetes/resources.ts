/** The API resources that job-chief uses, and nothing else. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
}

export const jobs: Resource = { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job' };
export const pods: Resource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod' };
export const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
export const secrets: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' };
export const events: Resource = { group: '', version: 'v1', plural: 'events', kind: 'Event' };
export const leases: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' };
/** Only read, by the command line. */
export const quotas: Resource = { group: '', version: 'v1', plural: 'resourcequotas', kind: 'ResourceQuota' };
/** The only one outside a namespace; every ServiceAccount may ask about itself. */
export const accessReviews: Resource = { group: 'authorization.k8s.io', version: 'v1', plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview' };

export function pathOf(resource: Resource, namespace: string | undefined, name?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${resource.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

/** `batch/v1`, or `v1` in the core group: as manifests and references spell it. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}
