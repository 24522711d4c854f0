/** Templates of a scene, and requests for runs as the command line writes them. */
import { textsAt } from '../../src/adapters/kubernetes/labels.ts';
import { encodeParameters } from '../../src/adapters/kubernetes/record-codec.ts';
import { recordManifest } from '../../src/adapters/kubernetes/record-manifest.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { requestRun, type Asked } from '../../src/plan/workflow/request-run.ts';
import { configMaps } from '../../src/simulation/objects.ts';
import * as keys from '../../src/spec/keys.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { isRunnable } from '../../src/spec/parsed.ts';
import type { WorkflowScene } from './workflow-scene.ts';

/** Applies the ConfigMap of a spec of any kind. */
export function applySpec(scene: WorkflowScene, name: string, fields: JsonObject & { readonly kind: string }, files: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify({ apiVersion: keys.apiVersion, ...fields }, undefined, 2);
  scene.world.applyObject(configMaps, { metadata: { name, labels: { [keys.kindLabel]: fields.kind.toLowerCase() } }, data: { [keys.specKey]: text, ...files } });
}

export function applyTemplate(scene: WorkflowScene, fields: JsonObject = {}, name = 'resize', files: Readonly<Record<string, string>> = {}): void {
  applySpec(scene, name, { kind: 'Template', ...(fields['jobTemplate'] === undefined && fields['jobFile'] === undefined ? { job: { image: 'registry.example/step:1' } } : {}), ...fields }, files);
}

/** Writes the record of a request for what a ConfigMap defines, and gives its name. */
export function ask(scene: WorkflowScene, configMap: string, parameters: JsonObject = {}, asked: Partial<Asked> = {}): string {
  const { name, request } = requestRun(runnableIn(scene, configMap), { instance: keys.defaultInstance, key: 'key-1', ...asked });
  const record = { name, request, parameters, data: undefined, owner: undefined };
  scene.world.cluster.registry.create(configMaps, recordManifest(record, encodeParameters(parameters), keys.defaultInstance));
  return name;
}

function runnableIn(scene: WorkflowScene, configMap: string) {
  const object = scene.world.cluster.store.list(configMaps).find(({ metadata }) => metadata.name === configMap);
  const { spec, problems } = parseSpec({ file: 'x', objectName: configMap, label: undefined, data: textsAt(object ?? {}, 'data') }, {});
  if (!isRunnable(spec)) throw new Error(`"${configMap}" cannot be run: ${problems.map(({ message }) => message).join('; ')}`);
  return spec;
}
