/** Work queue keys as text. */
import type { SpecKey } from '../plan/observed.ts';

/** A spec's key, or the id of a document that has to be read. */
export type WorkKey = { readonly kind: 'spec'; readonly key: SpecKey } | { readonly kind: 'document'; readonly id: string };

/** The work queue's text for a spec. Names of specs hold no `/`. */
export function specText(key: SpecKey): string {
  return `spec/${key.kind}/${key.name}`;
}

/** The work queue's text for a document that changed; ids may hold anything. */
export function documentText(id: string): string {
  return `document/${id}`;
}

/** The way back. What is neither is a key of no kind, which the round finds nothing for. */
export function parseKey(text: string): WorkKey {
  const [head = '', ...rest] = text.split('/');
  if (head === 'document') return { kind: 'document', id: rest.join('/') };
  const [kind = '', ...name] = rest;
  return { kind: 'spec', key: { kind: kinds.find((each) => each === kind) ?? 'unknown', name: name.join('/') } };
}

const kinds: readonly SpecKey['kind'][] = ['queue', 'workflow', 'template', 'request', 'limits', 'run'];

/** The key of a run; `record` is the name of its record. */
export function runKey(record: string): SpecKey {
  return { kind: 'run', name: record };
}

/** The key of a Run, by the label value of its logical name. */
export function requestKey(label: string): SpecKey {
  return { kind: 'request', name: label };
}

/** The key of a workflow, by the label value of its logical name. */
export function workflowKey(label: string): SpecKey {
  return { kind: 'workflow', name: label };
}
