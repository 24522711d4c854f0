/** The items of a forEach as files: an immutable ConfigMap with one key for each, of which a pod mounts its own. */
import type { Json, JsonObject } from '../../lib/json.ts';
import * as keys from '../../spec/keys.ts';
import { ownedBy, type Mounts } from '../manifest.ts';

/** What the map's name ends in, behind the name of its Job. */
const suffix = '-items';
const volume = 'job-chief-items';

/** Name of the map of a Job's items. */
export function itemMapName(jobName: string): string {
  return `${jobName}${suffix}`;
}

/** Texts as they are, everything else as JSON. */
export function itemText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export interface ItemMapInput {
  readonly jobName: string;
  readonly record: { readonly name: string; readonly uid: string; readonly ownerless?: true };
  readonly namespace: string;
  /** Labels that the Job has. */
  readonly labels: Readonly<Record<string, string>>;
  /** Item by completion index, or the one item of this Job. */
  readonly items: ReadonlyMap<number, Json>;
}

/** Keys are the indexes, exactly as many as there are completions: a missing one would be mounted as an empty folder. */
export function itemMap({ jobName, record, namespace, labels, items }: ItemMapInput): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: itemMapName(jobName), labels: { ...labels, [keys.recordLabel]: 'items' }, ...ownedBy(record) },
    immutable: true,
    data: Object.fromEntries([...items].map(([index, value]) => [String(index), itemText(value)])),
  };
}

/** The pod's item as the file /job-chief/item. `index` undefined: Kubernetes puts the completion index in. */
export function itemMounts(jobName: string, index: number | undefined): Mounts {
  const which = index === undefined ? { subPathExpr: '$(JOB_COMPLETION_INDEX)' } : { subPath: String(index) };
  return {
    volumes: [{ name: volume, configMap: { name: itemMapName(jobName) } }],
    volumeMounts: [{ name: volume, mountPath: keys.itemPath, ...which, readOnly: true }],
  };
}
