/**
 * Histories of queues as ConfigMaps, one for each. They carry another value of the label than records of runs, so that no
 * watch of ours asks for them: they are read when somebody wants to know, and before they are written.
 */
import { objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import { ownerReference } from '../../plan/manifest.ts';
import { historyName } from '../../plan/messages/history-name.ts';
import type { History } from '../../plan/messages/history.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { HistoryOwner, HistoryStore, StoredHistory } from '../../reconcile/messages/history-ports.ts';
import type { ReadResult, WriteResult } from '../../reconcile/ports.ts';
import { historyKey, historyRole, instanceLabel, jobKindLabel, managedBy, managedByLabel, nameLabel, recordLabel } from '../../spec/keys.ts';
import type { CallOptions, KubernetesClient } from './client.ts';
import { decodeHistory, encodeHistory } from './history-codec.ts';
import { controllerOf, labelsOf, textsAt, timeAt } from './labels.ts';
import { apiVersionOf, configMaps } from './resources.ts';
import { identityOf } from './watch-event.ts';

export interface HistoriesOptions {
  readonly client: Pick<KubernetesClient, 'get' | 'create' | 'mergePatch'>;
  readonly instance: string;
}

export class KubernetesHistories implements HistoryStore {
  readonly #client: HistoriesOptions['client'];
  readonly #instance: string;

  constructor({ client, instance }: HistoriesOptions) {
    this.#client = client;
    this.#instance = instance;
  }

  async read(queue: SpecKey): Promise<ReadResult<StoredHistory>> {
    const found = await this.#client.get(configMaps, historyName(this.#instance, queue));
    if (found.kind !== 'found') return found;
    const stored = this.#stored(found.value, queue);
    return stored ? { kind: 'found', value: stored } : { kind: 'absent' };
  }

  create(queue: SpecKey, history: History, owner: HistoryOwner | undefined): Promise<WriteResult> {
    return this.#client.create(configMaps, {
      apiVersion: apiVersionOf(configMaps),
      kind: configMaps.kind,
      metadata: { name: historyName(this.#instance, queue), labels: this.#labels(queue), ...(owner && { ownerReferences: [ownerReference(owner)] }) },
      binaryData: dataOf(history),
    }, atLeisure);
  }

  write(queue: SpecKey, { uid, resourceVersion }: Pick<StoredHistory, 'uid' | 'resourceVersion'>, { history, owner }: Parameters<HistoryStore['write']>[2]): Promise<WriteResult> {
    return this.#client.mergePatch(configMaps, historyName(this.#instance, queue), {
      metadata: { uid, resourceVersion, ...(owner && { ownerReferences: [ownerReference(owner)] }) },
      binaryData: dataOf(history),
    }, atLeisure);
  }

  #labels({ kind, name }: SpecKey): Record<string, string> {
    return { [recordLabel]: historyRole, [managedByLabel]: managedBy, [instanceLabel]: this.#instance, [jobKindLabel]: kind, [nameLabel]: name };
  }

  /** undefined: it is not ours. */
  #stored(raw: JsonObject, queue: SpecKey): StoredHistory | undefined {
    const identity = identityOf(raw);
    const labels = labelsOf(raw);
    if (!identity || Object.entries(this.#labels(queue)).some(([label, value]) => labels[label] !== value)) return undefined;
    const metadata = objectAt(raw, 'metadata');
    return {
      uid: identity.uid,
      resourceVersion: stringAt(metadata, 'resourceVersion') ?? '',
      deleting: stringAt(metadata, 'deletionTimestamp') !== undefined,
      ownerUid: controllerOf(raw).uid,
      createdAt: timeAt(metadata, 'creationTimestamp') ?? 0,
      history: decodeHistory(textsAt(raw, 'binaryData')[historyKey]),
    };
  }
}

const atLeisure: CallOptions = { priority: 'last' };

function dataOf(history: History): Record<string, string> {
  return { [historyKey]: encodeHistory(history).toString('base64') };
}
