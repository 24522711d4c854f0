/** A run's record as a client shows it. */
import { targetName, type ObservedRecord } from '../plan/run/record.ts';
import type { Run } from './client-types.ts';

/** What the record says. */
export function runView(record: ObservedRecord): Run {
  const { name, phase, createdAt, result, target } = record;
  const view: Run = { name, target: { kind: target.kind === 'template' ? 'template' : 'workflow', name: targetName(record) }, phase, createdAt };
  return result ? { ...view, end: { ...result, outputs: result.outputs ?? {} } } : view;
}
