/** What the command line asks of a cluster about specs and runs. Every answer that is none becomes a sentence for the user. */
import type { KubernetesClient } from '../../adapters/kubernetes/client.ts';
import { annotationsOf } from '../../adapters/kubernetes/labels.ts';
import { projectRecord } from '../../adapters/kubernetes/project-record.ts';
import { stepJobFacts } from '../../adapters/kubernetes/project-step.ts';
import { KubernetesRecords } from '../../adapters/kubernetes/records.ts';
import { configMaps, jobs } from '../../adapters/kubernetes/resources.ts';
import { identityOf } from '../../adapters/kubernetes/watch-event.ts';
import { parseIndexes } from '../../lib/index-ranges.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import type { WriteResult } from '../../reconcile/ports.ts';
import type { NewRecord, StoredRecord } from '../../reconcile/record-ports.ts';
import * as keys from '../../spec/keys.ts';
import { labelValue } from '../../lib/label-value.ts';
import { failed, listObjects } from './list-objects.ts';
import { specView, type SpecView } from './spec-view.ts';

/** The part of the client that is used. */
export type ApiClient = Pick<KubernetesClient, 'namespace' | 'get' | 'list' | 'watch' | 'create' | 'mergePatch' | 'delete' | 'podLog' | 'dryRun'>;

export interface RunClientOptions {
  readonly client: ApiClient;
  readonly instance: string;
}

/** A record with what people wrote on it, as it stands there. */
export interface FoundRun {
  readonly record: ObservedRecord;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Rejects with a UserError where the API server says no or nothing. */
export class RunClient {
  readonly client: ApiClient;
  readonly instance: string;
  readonly #records: KubernetesRecords;

  constructor({ client, instance }: RunClientOptions) {
    this.client = client;
    this.instance = instance;
    this.#records = new KubernetesRecords({ client, instance, readOnly: true });
  }

  get namespace(): string {
    return this.client.namespace;
  }

  /** Specs of this instance, as their ConfigMaps have them. */
  async specs(): Promise<readonly SpecView[]> {
    const raw = await listObjects(this.client, { resource: configMaps, labelSelector: keys.kindLabel });
    return raw.flatMap((object) => specView(object, this.instance) ?? []);
  }

  /** Records of all runs, or of those of one workflow: newest first. */
  async runs(workflow?: string): Promise<readonly ObservedRecord[]> {
    const raw = await listObjects(this.client, { resource: configMaps, labelSelector: runSelector(this.instance, workflow), metadataOnly: true });
    return raw.flatMap((object) => projectRecord(object, this.instance) ?? []).sort((left, right) => right.createdAt - left.createdAt || (left.name < right.name ? -1 : 1));
  }

  /** undefined: there is no such record, or not of this instance. */
  async run(name: string): Promise<FoundRun | undefined> {
    const found = await this.client.get(configMaps, name);
    if (found.kind === 'failed') throw failed(`cannot read run "${name}" in namespace ${this.namespace}: ${found.message}`, found.forbidden);
    const record = found.kind === 'found' ? projectRecord(found.value, this.instance) : undefined;
    return record && found.kind === 'found' ? { record, annotations: annotationsOf(found.value) } : undefined;
  }

  /** With its data. */
  async content(name: string): Promise<StoredRecord | undefined> {
    const read = await this.#records.read(name);
    if (read.kind === 'failed') throw failed(`cannot read run "${name}" in namespace ${this.namespace}: ${read.message}`, read.forbidden);
    return read.kind === 'found' ? read.value : undefined;
  }

  create(record: NewRecord): Promise<WriteResult> {
    return this.#records.create(record);
  }

  /** Only if the record has not changed since; null takes an annotation away. */
  annotate({ name, uid, resourceVersion }: ObservedRecord, annotations: Readonly<Record<string, string | null>>): Promise<WriteResult> {
    return this.client.mergePatch(configMaps, name, { metadata: { uid, resourceVersion, annotations: { ...annotations } } });
  }

  /** Items that have succeeded, by the names of the Indexed Jobs of a run. Who may not list Jobs sees none. */
  async progress(run: string): Promise<ReadonlyMap<string, number>> {
    const raw = await listObjects(this.client, { resource: jobs, labelSelector: `${keys.managedByLabel}=${keys.managedBy},${keys.instanceLabel}=${this.instance},${keys.runLabel}=${run}` }).catch(() => []);
    return new Map(raw.flatMap((object) => {
      const facts = stepJobFacts(object);
      const name = identityOf(object)?.name;
      return facts.indexed && name !== undefined ? [[name, parseIndexes(facts.completedIndexes).size]] : [];
    }));
  }
}

/** Selects the records of an instance, or of one of its workflows. */
export function runSelector(instance: string, workflow?: string): string {
  return `${keys.recordLabel}=run,${keys.instanceLabel}=${instance}${workflow === undefined ? '' : `,${keys.nameLabel}=${labelValue(workflow)}`}`;
}
