/** Paths of the API: which type, which object. */
import { apiVersionOf, type Resource, resources } from './objects.ts';

export interface Route {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** `/apis/batch/v1/namespaces/etl/jobs/extract` and the like; undefined where a real server would answer 404. */
export function parseRoute(path: string): Route | undefined {
  const match = /^\/(?:api\/(?<core>v1)|apis\/(?<group>[^/]+\/[^/]+))\/namespaces\/(?<namespace>[^/]+)\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>[^/]+))?$/u.exec(path);
  const { core, group, namespace, plural, name, subresource } = match?.groups ?? {};
  const resource = resources.find((candidate) => candidate.plural === plural && apiVersionOf(candidate) === (core ?? group));
  if (!resource || namespace === undefined) return undefined;
  return { resource, namespace, name: name === undefined ? undefined : decodeURIComponent(name), subresource };
}
