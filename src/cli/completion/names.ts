/** Names for completion, from the cluster and from the schemas. */
import { isFinished } from '../runs/phases.ts';
import { frozenSpec } from '../runs/frozen-spec.ts';
import type { RunClient } from '../runs/run-client.ts';
import { fieldsOf } from '../explain/schema.ts';
import { explainable, schemaOf } from '../explain/schemas.ts';
import { findField } from '../explain/find.ts';
import type { AskedWith, Candidate } from './candidates.ts';
import { shells } from './scripts.ts';
import type { Source } from './sources.ts';

/** What can be said without a cluster; undefined: it has to be asked. */
export async function localNames(source: Source, { current }: AskedWith): Promise<readonly Candidate[] | undefined> {
  if (source === 'shell') return shells.map((value) => ({ value, about: '' }));
  if (source === 'kind') return ['queue', 'workflow', 'template', 'run', 'limits'].map((value) => ({ value, about: '' }));
  return source === 'field' ? fields(current) : undefined;
}

/** `queue.dr` becomes `queue.drain`. */
async function fields(current: string): Promise<readonly Candidate[]> {
  const end = current.lastIndexOf('.');
  if (end === -1) return explainable.map((value) => ({ value, about: '' }));
  const above = current.slice(0, end);
  const found = await findField(above).catch(() => undefined);
  const root = found && (await schemaOf(found.kind));
  return found && root ? fieldsOf(found.field.schema, root).map(({ name }) => ({ value: `${above}.${name}`, about: '' })) : [];
}

/** Rejects where the cluster does. */
export async function clusterNames(runs: RunClient, source: Source, { operands }: AskedWith): Promise<readonly Candidate[]> {
  switch (source) {
    case 'target':
      return [...(await specNames(runs, undefined)), ...(await runNames(runs))];
    case 'runnable':
      return specNames(runs, ['workflow', 'template']);
    case 'run':
      return runNames(runs);
    case 'step':
    case 'approval':
      return stepNames(runs, operands[0] ?? '', source === 'approval');
    case 'field':
    case 'kind':
    case 'shell':
    case 'files':
      return [];
  }
}

async function specNames(runs: RunClient, kinds: readonly string[] | undefined): Promise<readonly Candidate[]> {
  const specs = await runs.specs();
  return specs.map(({ kind, name }) => ({ value: `${kind.toLowerCase()}/${name}`, about: '' })).filter(({ value }) => kinds?.some((kind) => value.startsWith(`${kind}/`)) ?? true);
}

/** More than people look through. */
const mostRuns = 50;

/** Those that go on first. */
async function runNames(runs: RunClient): Promise<readonly Candidate[]> {
  const all = await runs.runs();
  const ordered = [...all.filter((record) => !isFinished(record)), ...all.filter((record) => isFinished(record))];
  return ordered.slice(0, mostRuns).map(({ name, phase }) => ({ value: name, about: phase }));
}

async function stepNames(runs: RunClient, name: string, approvals: boolean): Promise<readonly Candidate[]> {
  const content = await runs.content(name);
  const spec = content?.data && frozenSpec(content.record, content.data);
  const steps = spec ? [...spec.steps, ...spec.finally] : [];
  return steps.filter(({ work }) => !approvals || work.kind === 'approve').map((step) => ({ value: step.name, about: '' }));
}
