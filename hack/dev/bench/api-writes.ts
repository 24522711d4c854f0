/** How often the API server was written to, by its own count. */
import { readFileSync } from 'node:fs';
import { connectApi } from '../cluster/api.ts';
import type { ClusterState } from '../cluster/state.ts';

/** Successful and refused writes, such as `create jobs` or `patch pods/status`. */
export type Writes = ReadonlyMap<string, number>;

const verbs = new Map([['POST', 'create'], ['PUT', 'update'], ['PATCH', 'patch'], ['APPLY', 'apply'], ['DELETE', 'delete']]);
/** Those that have nothing to do with any run: leases are renewed all the time. */
const apart = new Set(['leases', 'tokenreviews', 'subjectaccessreviews', 'nodes', 'apiservices']);

/** Since the API server started. */
export async function readWrites({ server = '', token = '', caFile = '' }: ClusterState): Promise<Writes> {
  const api = connectApi({ server, token, ca: readFileSync(caFile, 'utf8'), connections: 1 });
  try {
    const { body } = await api.request('GET', '/metrics');
    const writes = new Map<string, number>();
    for (const [, labels = '', value] of body.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
      const label = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
      const verb = verbs.get(label('verb'));
      if (verb === undefined || label('dry_run') !== '' || apart.has(label('resource'))) continue;
      const what = `${verb} ${label('resource')}${label('subresource') === '' ? '' : `/${label('subresource')}`}`;
      writes.set(what, (writes.get(what) ?? 0) + Number(value));
    }
    return writes;
  } finally {
    await api.close();
  }
}

/** What came on top, divided by `steps`; most first. */
export function perStep(before: Writes, after: Writes, steps: number): Writes {
  const grown = [...after].map(([what, count]): [string, number] => [what, (count - (before.get(what) ?? 0)) / steps]);
  return new Map(grown.filter(([, count]) => count > 0).sort(([, left], [, right]) => right - left));
}
