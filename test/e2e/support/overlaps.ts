/** Where two Jobs for the same work lived at once, found in the history of a namespace. */
import type { Metadata } from './kubernetes.ts';

/** One change of a Job or Pod. */
export interface Sight {
  readonly gone: boolean;
  readonly object: { readonly kind: 'Job' | 'Pod'; readonly metadata: Pick<Metadata, 'uid' | 'name' | 'labels' | 'annotations'>; readonly ended: boolean };
}

/** One line for every Job that was made while another for the same work, or a pod of such a one, lived. `sights`: oldest first. */
export function overlapsIn(sights: readonly Sight[]): string[] {
  const living = new Map<string, Sight['object']>();
  const lines: string[] = [];
  const known = new Set<string>();
  /** By the names of Jobs: pods do not say which message they are for. */
  const works = new Map<string, string | undefined>();
  const workFor = ({ kind, metadata }: Sight['object']): string | undefined => (kind === 'Pod' ? works.get(metadata.labels?.['job-name'] ?? '') : undefined) ?? workOf(metadata);
  for (const { gone, object } of sights) {
    const { uid, name } = object.metadata;
    if (object.kind === 'Job') works.set(name, workOf(object.metadata));
    if (object.kind === 'Job' && !known.has(uid)) {
      const work = workOf(object.metadata);
      const others = [...living.values()].filter((one) => workFor(one) === work);
      if (others.length > 0) lines.push(`Job ${name} was made while ${others.map((one) => `${one.kind} ${one.metadata.name}`).join(', ')} lived`);
    }
    known.add(uid);
    if (gone || object.ended) living.delete(uid);
    else if (workOf(object.metadata) !== undefined) living.set(uid, object);
  }
  return lines;
}

/**
 * Instance and queue (and message, where each has its own Job), or run and step (and item), that a Job is for: what at most
 * one may live for. To undo a step is other work than to do it: it begins when the step's containers have succeeded, and
 * their Job is told to be Complete seconds later.
 */
export function workOf({ labels, annotations }: Pick<Metadata, 'labels' | 'annotations'>): string | undefined {
  const label = (key: string): string | undefined => labels?.[`job-chief/${key}`];
  const name = label('name');
  if (name === undefined) return undefined;
  const parts = label('kind') === 'workflow' || label('kind') === 'template' ? ['instance', 'run', 'step', 'index', 'undo'].map(label) : [label('instance'), name, ...messageOf(annotations)];
  return parts.map((part) => part ?? '').join('/');
}

/** The id of the message that a Job is for; of a batch all of them. */
export function messageOf(annotations: Metadata['annotations']): string[] {
  const batch = annotations?.['job-chief/batch'];
  if (batch !== undefined) return (JSON.parse(batch) as { id: string }[]).map(({ id }) => id);
  const note = annotations?.['job-chief/message'];
  return note === undefined ? [] : [(JSON.parse(note) as { id: string }).id];
}
