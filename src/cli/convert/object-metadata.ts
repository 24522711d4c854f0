/** What people wrote on an object, for the ConfigMap that takes its place. */
import { reservedMetadataOwner } from '../../spec/job-rules.ts';
import type { Draft } from './draft.ts';
import type { Item } from './item.ts';

/** Written by tools, and wrong on any other object. */
const ofTools = /^(kubectl\.kubernetes\.io\/last-applied-configuration$|(meta\.)?helm\.sh\/|(scaledjob|autoscaling)\.keda\.sh\/|config\.kubernetes\.io\/|kustomize\.toolkit\.fluxcd\.io\/)/;

/** Namespace, labels and annotations. */
export function writeObjectMetadata(draft: Draft, object: Item): void {
  const metadata = object.at('metadata');
  draft.namespace = draft.text(metadata.at('namespace'));
  for (const field of ['labels', 'annotations'] as const) {
    for (const [key, item] of metadata.at(field).fields()) {
      const text = draft.text(item);
      if (text !== undefined && !ofTools.test(key) && reservedMetadataOwner(key) === undefined) draft[field][key] = text;
    }
  }
}
