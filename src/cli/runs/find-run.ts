/** From a name on the command line to a run, a queue, or another spec. */
import { targetOf, type ObservedRecord } from '../../plan/run/record.ts';
import { UserError } from '../exit-code.ts';
import { hint } from './lookup.ts';
import type { RunClient } from './run-client.ts';
import { targetText, type Target, type TargetKind } from './target.ts';

/** What has the name. `newest`: of a workflow, a template or a Run the newest record; undefined: it has none. */
export type Found =
  | { readonly kind: 'record'; readonly record: ObservedRecord }
  | { readonly kind: 'workflow' | 'template' | 'run'; readonly name: string; readonly newest: ObservedRecord | undefined }
  | { readonly kind: 'queue'; readonly name: string }
  | { readonly kind: 'limits'; readonly name: string };

/** A run first, since its name is made to be unique. Throws a UserError where nothing has the name, or several do. */
export async function findTarget(runs: RunClient, target: Target): Promise<Found> {
  const { kind, name } = target;
  if (kind === undefined) {
    const found = await runs.run(name);
    if (found) return { kind: 'record', record: found.record };
  }
  const [specs, records] = await Promise.all([runs.specs(), runs.runs()]);
  const kinds = kindsNamed(name, specs.filter((spec) => spec.name === name).map((spec) => spec.kind.toLowerCase()), records);
  const [first, second] = kind === undefined ? kinds : kinds.filter((one) => one === kind);
  if (first === undefined) {
    const known = kind === undefined ? [...specs.map((spec) => spec.name), ...records.map((record) => record.name)] : specs.filter((spec) => spec.kind.toLowerCase() === kind).map((spec) => spec.name);
    throw new UserError(`there is no ${kind === undefined ? `spec and no run "${name}"` : targetText(target)} in namespace ${runs.namespace}${hint(name, known, 'job-chief status lists what there is')}`);
  }
  if (second !== undefined) throw new UserError(`several things are called "${name}": say which, as ${kinds.map((one) => `${one}/${name}`).join(' or ')}`);
  if (first === 'queue') return { kind: 'queue', name };
  if (first === 'limits') return { kind: 'limits', name };
  return { kind: first, name, newest: records.find((record) => isOf(record, { kind: first, name })) };
}

/** Runs outlive their specs. */
function kindsNamed(name: string, specKinds: readonly string[], records: readonly ObservedRecord[]): readonly TargetKind[] {
  const all: readonly TargetKind[] = ['queue', 'workflow', 'template', 'run', 'limits'];
  return all.filter((kind) => specKinds.includes(kind) || records.some((record) => isOf(record, { kind, name })));
}

/** Whether it is a run of this workflow or template, or the one that this Run asked for. */
export function isOf({ request }: ObservedRecord, { kind, name }: Target): boolean {
  if (!request) return false;
  if (kind === 'run') return request.run === name;
  const target = targetOf(request);
  return target.kind === kind && target.name === name;
}
