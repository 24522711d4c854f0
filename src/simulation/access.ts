/** What the caller may do: RBAC's verbs, its refusal, and the review that asks for it. */
import type { ApiRequest } from '../adapters/kubernetes/transport.ts';
import { type JsonObject, objectAt, stringAt } from '../lib/json.ts';
import { ApiFailure } from './failure.ts';
import type { Route } from './route.ts';

export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly name: string | undefined;
  readonly namespace: string;
}

const user = 'job-chief';

export function verbOf(request: ApiRequest, route: Route): string {
  if (request.method === 'POST') return 'create';
  if (request.method === 'PATCH') return 'patch';
  if (request.method === 'DELETE') return 'delete';
  if (route.name !== undefined) return 'get';
  return request.query?.['watch'] === 'true' || request.query?.['watch'] === '1' ? 'watch' : 'list';
}

export function forbiddenByRbac(asked: Attributes, namespace: string): ApiFailure {
  const type = asked.group === '' ? asked.resource : `${asked.resource}.${asked.group}`;
  const what = asked.name === undefined ? type : `${type} "${asked.name}"`;
  const resource = asked.subresource === undefined ? asked.resource : `${asked.resource}/${asked.subresource}`;
  const text = `User "system:serviceaccount:${namespace}:${user}" cannot ${asked.verb} resource "${resource}" in API group "${asked.group}" in the namespace "${asked.namespace}"`;
  return new ApiFailure(403, 'Forbidden', `${what} is forbidden: ${text}`, { details: { kind: asked.resource } });
}

/** The answered SelfSubjectAccessReview, if the request is one. */
export function reviewAccess(request: ApiRequest, allows: (attributes: Attributes) => boolean): JsonObject | undefined {
  if (request.method !== 'POST' || request.path !== '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews') return undefined;
  const asked = objectAt(objectAt(request.body, 'spec'), 'resourceAttributes');
  const allowed = allows({
    verb: stringAt(asked, 'verb') ?? '',
    group: stringAt(asked, 'group') ?? '',
    resource: stringAt(asked, 'resource') ?? '',
    subresource: stringAt(asked, 'subresource'),
    name: stringAt(asked, 'name'),
    namespace: stringAt(asked, 'namespace') ?? '',
  });
  const spec = objectAt(request.body, 'spec');
  return { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', metadata: {}, spec, status: allowed ? { allowed } : { allowed, reason: '' } };
}
