/** What a standalone run needs to be allowed, asked before anything is started. */
import { checkPermissions, type Feature, type Right } from '../../adapters/kubernetes/permissions.ts';
import type { KubernetesClient } from '../../adapters/kubernetes/client.ts';
import { configMaps, jobs, pods, type Resource } from '../../adapters/kubernetes/resources.ts';
import { namesItem } from '../../plan/run/step-job.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import { UserError } from '../exit-code.ts';
import { allSteps } from './load.ts';

const rights = (resource: Resource, ...verbs: readonly Right['verb'][]): readonly Right[] => verbs.map((verb) => ({ verb, resource }));

const always: Feature = { name: 'run', rights: [...rights(jobs, 'get', 'list', 'watch', 'create', 'patch'), ...rights(pods, 'list', 'watch')] };
const maps: Feature = { name: 'maps', rights: rights(configMaps, 'get', 'create') };
const cleanUp: Feature = { name: 'clean-up', rights: rights(jobs, 'delete') };
const cleanUpMaps: Feature = { name: 'clean-up of maps', rights: rights(configMaps, 'delete') };

/** Throws a UserError that names what is missing, and for which step. */
export async function requireRights(client: Pick<KubernetesClient, 'ask' | 'namespace'>, spec: WorkflowSpec, options: { readonly cleanUp: boolean }): Promise<void> {
  const mounting = allSteps(spec).filter(mountsMap);
  const wanted = [always, ...(mounting.length > 0 ? [maps] : []), ...(options.cleanUp ? [cleanUp, ...(mounting.length > 0 ? [cleanUpMaps] : [])] : [])];
  const missing = new Map((await checkPermissions(client, wanted)).filter(({ state }) => state === 'off').map((feature) => [feature.name, feature.missing]));
  const said = [
    ...(missing.has(always.name) ? [`a run needs the right to ${listed(missing.get(always.name))}`] : []),
    ...(missing.has(maps.name) ? [mapsText(mounting, missing.get(maps.name))] : []),
    ...(missing.has(cleanUp.name) || missing.has(cleanUpMaps.name) ? [`--clean-up needs the right to ${listed([...(missing.get(cleanUp.name) ?? []), ...(missing.get(cleanUpMaps.name) ?? [])])}`] : []),
  ];
  if (said.length === 0) return;
  const [first = ''] = [...missing.values()].flat();
  throw new UserError(`rights are missing in namespace "${client.namespace}":\n       ${said.join('\n       ')}\n       ask for them with: kubectl auth can-i ${first} -n ${client.namespace}`);
}

function mapsText(steps: readonly StepSpec[], missing: readonly string[] = []): string {
  const why = steps.map(({ name, files }) => `step "${name}" mounts ${Object.keys(files).length > 0 ? 'its files' : 'its items'} from a ConfigMap`);
  return `the right to ${listed(missing)} is needed by this workflow, since ${why.join(', ')}; without "files", and with items that the job takes by $(item), a run needs no right on ConfigMaps`;
}

function listed(missing: readonly string[] = []): string {
  return missing.join(', ');
}

/** Something that it mounts is a ConfigMap that the run makes. */
export function mountsMap(step: StepSpec): boolean {
  return Object.keys(step.files).length > 0 || mountsItems(step);
}

/** Items that the job takes by `$(item)` are written into it; those of a count are their own index. */
export function mountsItems(step: StepSpec): boolean {
  const { forEach } = step;
  return forEach !== undefined && forEach.source.kind !== 'count' && !(forEach.shape === 'jobs' && namesItem(step));
}
