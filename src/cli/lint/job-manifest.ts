/** The Job that a spec gives, as `lint --defaults` prints it: with every default, before names and labels of a run. */
import { objectAt, type JsonObject } from '../../lib/json.ts';
import type { QueueSpec } from '../../spec/queue.ts';

/** A manifest for reading, and for a dry run: it has a generateName. */
export function jobManifest(spec: QueueSpec): JsonObject {
  const job = objectAt(spec.jobTemplate, 'spec');
  const template = objectAt(job, 'template');
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { generateName: `${spec.name.slice(0, 40)}-`, ...withExtra(objectAt(spec.jobTemplate, 'metadata'), spec.jobMetadata) },
    spec: { parallelism: spec.drain.pods.min, ...job, template: { ...template, metadata: withExtra(objectAt(template, 'metadata'), spec.podMetadata) } },
  };
}

function withExtra(metadata: JsonObject, extra: QueueSpec['jobMetadata']): JsonObject {
  const merged = { labels: { ...objectAt(metadata, 'labels'), ...extra.labels }, annotations: { ...objectAt(metadata, 'annotations'), ...extra.annotations } };
  return Object.fromEntries(Object.entries(merged).filter(([, values]) => Object.keys(values).length > 0));
}
