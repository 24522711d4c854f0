/** The live look that precedes each batch: which messages other batches have, whatever watches show. */
import { arrayAt, objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import type { SpecKey } from '../../plan/observed.ts';
import { messageVolume } from '../../plan/messages/batches/batch-job.ts';
import type { LiveBatch, ReadResult } from '../../reconcile/ports.ts';
import { kueueQueueLabel } from '../../spec/keys.ts';
import { isForbidden } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { annotationsOf, instanceSelector, keySelector, labelsOf, timeAt } from './labels.ts';
import { listAll } from './list-all.ts';
import { newSharedNotes, readBatchFacts } from './message-notes.ts';
import { finishedOf } from './project-job.ts';
import { jobs } from './resources.ts';
import { identityOf } from './watch-event.ts';

/** Never rejects. A Job whose notes nobody can read is none: no process lets one go that it cannot read. */
export async function liveBatches({ client, instance }: { readonly client: Pick<KubernetesClient, 'list'>; readonly instance: string }, key: SpecKey): Promise<ReadResult<readonly LiveBatch[]>> {
  const labelSelector = `${instanceSelector(instance)},${keySelector(key.kind, [key.name])}`;
  const list = await listAll({ client, resource: jobs, labelSelector }, never, liveBatch, () => undefined);
  if (list.kind === 'failed') return { kind: 'failed', message: list.failure.message, forbidden: isForbidden(list.failure) };
  return { kind: 'found', value: [...list.objects.values()] };
}

const never = new AbortController().signal;

function liveBatch(raw: unknown): LiveBatch | undefined {
  const identity = identityOf(raw);
  const batch = readBatchFacts(annotationsOf(raw), newSharedNotes());
  if (!identity || !batch) return undefined;
  const [metadata, spec, status] = [objectAt(raw, 'metadata'), objectAt(raw, 'spec'), objectAt(raw, 'status')];
  return {
    ...identity,
    resourceVersion: stringAt(metadata, 'resourceVersion') ?? '',
    deleting: timeAt(metadata, 'deletionTimestamp') !== undefined,
    finished: finishedOf(status) !== undefined,
    committed: batch.committed,
    resumed: spec['suspend'] !== true,
    kueue: (labelsOf(raw)[kueueQueueLabel] ?? '') !== '',
    secret: secretOf(spec),
    unsettled: batch.notes.flatMap(({ id }, index) => (batch.settled.has(index) ? [] : [id])),
  };
}

function secretOf(jobSpec: JsonObject): string | undefined {
  const volumes = arrayAt(objectAt(objectAt(jobSpec, 'template'), 'spec'), 'volumes');
  return stringAt(objectAt(volumes.find((each) => stringAt(each, 'name') === messageVolume), 'secret'), 'secretName');
}
