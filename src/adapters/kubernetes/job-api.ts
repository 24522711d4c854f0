/** Live requests about Jobs. */
import { objectAt, stringAt } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { JobApi, LiveBatch, LiveJob, LiveView, ReadResult, WriteResult } from '../../reconcile/ports.ts';
import { messageAnnotation } from '../../spec/keys.ts';
import type { KubernetesClient } from './client.ts';
import { annotationsOf, labelsOf } from './labels.ts';
import { liveBatches } from './live-batches.ts';
import { LiveLists } from './live-lists.ts';
import { readMessageNote } from './message-notes.ts';
import { finishedOf } from './project-job.ts';
import { jobs } from './resources.ts';

export class KubernetesJobs implements JobApi {
  readonly #options: { readonly client: KubernetesClient; readonly instance: string };
  readonly #client: KubernetesClient;
  readonly #live: LiveLists;

  constructor(options: { readonly client: KubernetesClient; readonly instance: string }) {
    this.#options = options;
    this.#client = options.client;
    this.#live = new LiveLists(options);
  }

  create(manifest: JsonObject): Promise<WriteResult> {
    return this.#client.create(jobs, manifest);
  }

  dryRun(manifest: JsonObject): Promise<WriteResult> {
    return this.#client.dryRun(jobs, manifest);
  }

  patch(name: string, uid: string, patch: JsonObject): Promise<WriteResult> {
    return this.#client.mergePatch(jobs, name, { ...patch, metadata: { ...objectAt(patch, 'metadata'), uid } });
  }

  delete(name: string, uid: string, resourceVersion: string): Promise<WriteResult> {
    return this.#client.delete(jobs, name, { propagationPolicy: 'Foreground', uid, resourceVersion });
  }

  async get(name: string): Promise<ReadResult<LiveJob>> {
    const found = await this.#client.get(jobs, name);
    return found.kind === 'found' ? { kind: 'found', value: liveJob(name, found.value) } : found;
  }

  live(key: SpecKey): Promise<ReadResult<LiveView>> {
    return this.#live.ask(key);
  }

  batches(key: SpecKey): Promise<ReadResult<readonly LiveBatch[]>> {
    return liveBatches(this.#options, key);
  }
}

function liveJob(name: string, raw: JsonObject): LiveJob {
  const metadata = objectAt(raw, 'metadata');
  const note = readMessageNote(annotationsOf(raw)[messageAnnotation]);
  return {
    name,
    uid: stringAt(metadata, 'uid') ?? '',
    resourceVersion: stringAt(metadata, 'resourceVersion') ?? '',
    deleting: stringAt(metadata, 'deletionTimestamp') !== undefined,
    finished: finishedOf(objectAt(raw, 'status')) !== undefined,
    labels: labelsOf(raw),
    ...(note && { messageId: note.id }),
  };
}
