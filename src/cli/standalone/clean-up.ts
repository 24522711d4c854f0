/** Deletes what a run made, once it has succeeded. */
import type { KubernetesClient } from '../../adapters/kubernetes/client.ts';
import { configMaps, jobs, type Resource } from '../../adapters/kubernetes/resources.ts';
import { stringAt, objectAt } from '../../lib/json.ts';
import { itemMapName } from '../../plan/run/item-map.ts';
import { filesMapSuffix } from '../../spec/keys.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { lookAround } from './look.ts';
import { mountsItems, mountsMap } from './rights.ts';
import { allSteps } from './load.ts';

type Client = Pick<KubernetesClient, 'list' | 'get' | 'delete' | 'namespace'>;

export interface CleanedUp {
  readonly deleted: number;
  /** One sentence for each object that is still there. */
  readonly problems: readonly string[];
}

/** Jobs with their pods, then the ConfigMaps that those mounted. Others of the namespace are not touched. */
export async function cleanUp(client: Client, spec: WorkflowSpec, run: string): Promise<CleanedUp> {
  const mine = (await lookAround(client, spec.name)).filter((job) => job.run === run);
  const steps = allSteps(spec);
  const withItems = new Set(steps.filter(mountsItems).map(({ name }) => name));
  const maps = [
    ...(steps.some((step) => mountsMap(step) && Object.keys(step.files).length > 0) ? [`${run}${filesMapSuffix}`] : []),
    ...mine.filter(({ step }) => withItems.has(step)).map(({ name }) => itemMapName(name)),
  ];
  const problems = [
    ...(await Promise.all(mine.map(({ name, uid }) => remove(client, jobs, { name, uid })))),
    ...(await Promise.all(maps.map((name) => removeByName(client, name)))),
  ].filter((problem) => problem !== undefined);
  return { deleted: mine.length + maps.length - problems.length, problems };
}

/** In the foreground: a Job goes after its pods, none of which is left behind. */
async function remove(client: Client, resource: Resource, { name, uid }: { readonly name: string; readonly uid: string }): Promise<string | undefined> {
  const result = await client.delete(resource, name, { propagationPolicy: 'Foreground', uid });
  if (result.kind === 'done' || result.kind === 'gone') return undefined;
  return `${resource.kind} ${name} was not deleted: ${'message' in result ? result.message : result.kind}`;
}

async function removeByName(client: Client, name: string): Promise<string | undefined> {
  const found = await client.get(configMaps, name);
  if (found.kind === 'absent') return undefined;
  if (found.kind === 'failed') return `${configMaps.kind} ${name} was not deleted: ${found.message}`;
  return remove(client, configMaps, { name, uid: stringAt(objectAt(found.value, 'metadata'), 'uid') ?? '' });
}
