/** What all Jobs of Queues have in their metadata, whether they drain or are for one message. */
import type { JsonObject } from '../lib/json.ts';
import * as keys from '../spec/keys.ts';
import type { QueueSpec } from '../spec/queue.ts';
import { queueOf } from '../spec/queue-source.ts';
import { deadlineSeconds, ownerReference } from './manifest.ts';
import type { UpkeepNote } from './notes.ts';
import type { Claim } from './observed.ts';

/** All that looking after the Job needs once the spec is gone. */
export function queueAnnotations(spec: QueueSpec, claim: Claim): Record<string, string> {
  return {
    [keys.nameAnnotation]: spec.name,
    [keys.queueAnnotation]: queueOf(spec.source),
    [keys.connectionAnnotation]: spec.source.connection,
    [keys.specHashAnnotation]: spec.hash,
    [keys.onSpecDeleteAnnotation]: spec.onSpecDelete,
    [keys.upkeepAnnotation]: JSON.stringify(upkeepNote(spec)),
    ...(claim.source.kind === 'file' ? { [keys.specSourceAnnotation]: 'file' } : {}),
  };
}

function upkeepNote(spec: QueueSpec): UpkeepNote {
  const rule = ({ count, age }: { count: number | undefined; age: number | undefined }): UpkeepNote['failed'] => ({
    ...(count === undefined ? {} : { count }),
    ...(age === undefined ? {} : { age }),
  });
  return {
    startTimeout: spec.startTimeout,
    ...(spec.timeout === undefined ? {} : { timeout: spec.timeout }),
    succeeded: rule(spec.retention.succeeded),
    failed: rule(spec.retention.failed),
    ...(spec.retention.beforeDelete && { beforeDelete: spec.retention.beforeDelete }),
  };
}

/** For the metadata: the ConfigMap of the spec, unless the Job is to outlive it. */
export function queueOwner(spec: QueueSpec, claim: Claim): JsonObject {
  if (claim.source.kind !== 'configMap' || spec.onSpecDelete === 'finish') return {};
  return { ownerReferences: [ownerReference(claim.source)] };
}

/** For the Job's spec. */
export function queueDeadline(spec: QueueSpec): JsonObject {
  const seconds = deadlineSeconds(spec);
  return seconds === undefined ? {} : { activeDeadlineSeconds: seconds };
}
