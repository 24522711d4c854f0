/** The published schemas, each read only when somebody asks about its kind: they are large, with Kubernetes' own words in them. */
import { isObject, type JsonObject } from '../../lib/json.ts';

type Load = () => Promise<unknown>;

const loaders: Readonly<Record<string, Load>> = {
  queue: () => import('../../../schemas/queue.schema.json', { with: { type: 'json' } }),
  workflow: () => import('../../../schemas/workflow.schema.json', { with: { type: 'json' } }),
  template: () => import('../../../schemas/template.schema.json', { with: { type: 'json' } }),
  run: () => import('../../../schemas/run.schema.json', { with: { type: 'json' } }),
  limits: () => import('../../../schemas/limits.schema.json', { with: { type: 'json' } }),
  config: () => import('../../../schemas/config.schema.json', { with: { type: 'json' } }),
};

/** What can be asked about. `config` is the operator's configuration. */
export const explainable: readonly string[] = Object.keys(loaders);

/** undefined: no such kind. */
export async function schemaOf(kind: string): Promise<JsonObject | undefined> {
  const load = Object.hasOwn(loaders, kind) ? loaders[kind] : undefined;
  const found = (await load?.()) as { readonly default?: unknown } | undefined;
  return isObject(found?.default) ? found.default : undefined;
}
