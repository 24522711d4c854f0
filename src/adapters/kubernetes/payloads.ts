/** Payloads of messages as Secrets. They are created and never read: the right to read Secrets is not asked for. */
import type { JsonObject } from '../../lib/json.ts';
import type { PayloadStore } from '../../reconcile/message-ports.ts';
import type { WriteResult } from '../../reconcile/ports.ts';
import type { KubernetesClient } from './client.ts';
import { secrets } from './resources.ts';

export class KubernetesPayloads implements PayloadStore {
  readonly #client: Pick<KubernetesClient, 'create'>;

  constructor(options: { readonly client: Pick<KubernetesClient, 'create'> }) {
    this.#client = options.client;
  }

  create(secret: JsonObject): Promise<WriteResult> {
    return this.#client.create(secrets, secret);
  }
}
