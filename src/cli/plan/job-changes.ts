/** The Jobs that a spec gives, with every default, compared as YAML. */
import { stringify } from 'yaml';
import { lineDiff } from './line-diff.ts';
import type { Spec } from '../../spec/parsed.ts';
import { jobsOf, type SpecJob } from '../lint/job-manifest.ts';

export interface JobChange {
  /** `Job`, `step load`, `step load, load-1.yaml`, `step load, undo`. */
  readonly title: string;
  readonly change: 'new' | 'changed' | 'removed';
  /** Hunks of a unified diff, without the lines that name the files. */
  readonly diff: readonly string[];
}

/** Those that differ, in the order of the later text; then those that are gone. A broken text gives none. */
export function jobChanges(before: Spec | undefined, after: Spec | undefined): readonly JobChange[] {
  const old = textsOf(before);
  const young = textsOf(after);
  const titles = [...young.keys(), ...[...old.keys()].filter((title) => !young.has(title))];
  return titles.flatMap((title): JobChange[] => {
    const diff = lineDiff(old.get(title) ?? '', young.get(title) ?? '');
    return diff.length === 0 ? [] : [{ title, change: old.has(title) ? (young.has(title) ? 'changed' : 'removed') : 'new', diff }];
  });
}

function textsOf(spec: Spec | undefined): ReadonlyMap<string, string> {
  return new Map(spec ? jobsOf(spec).map((one) => [titleOf(one), stringify(one.job, { aliasDuplicateObjects: false })]) : []);
}

function titleOf({ step, file, undo }: SpecJob): string {
  const parts = [...(step === undefined ? [] : [`step ${step}`]), ...(file === undefined ? [] : [file]), ...(undo ? ['undo'] : [])];
  return parts.length === 0 ? 'Job' : parts.join(', ');
}
