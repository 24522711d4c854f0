/** Status of a spec, written where its author looks: on the ConfigMap. */
import { healthAnnotation, stateLabel, statusAnnotation } from '../../spec/keys.ts';
import type { StatusSink, WriteResult } from '../../reconcile/ports.ts';
import type { KubernetesClient } from './client.ts';
import { configMaps } from './resources.ts';

/** A merge patch with the UID in it: after a prune it answers 404 or 409, where an apply would bring back a ghost. */
export class KubernetesStatus implements StatusSink {
  readonly #client: Pick<KubernetesClient, 'mergePatch'>;

  constructor(options: { readonly client: Pick<KubernetesClient, 'mergePatch'> }) {
    this.#client = options.client;
  }

  write(configMap: { name: string; uid: string }, status: { annotation: string; state: string; health: string }): Promise<WriteResult> {
    return this.#client.mergePatch(configMaps, configMap.name, {
      metadata: { uid: configMap.uid, annotations: { [statusAnnotation]: status.annotation, [healthAnnotation]: status.health }, labels: { [stateLabel]: status.state } },
    });
  }
}
