/** What a run is made of, read from its record once. */
import type { Clock } from '../../lib/clock.ts';
import { targetName, targetOf, type ObservedRecord } from '../../plan/run/record.ts';
import type { RunState } from '../../plan/run/state.ts';
import { describeProblem } from '../../plan/status.ts';
import { isRunnable } from '../../spec/parsed.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { RecordStore, StoredRecord } from '../record-ports.ts';
import type { ParseSpec, SpecIndex } from '../spec-index.ts';
import type { LoadedRun } from './run-memory.ts';

export interface LoadDeps {
  readonly clock: Clock;
  readonly store: RecordStore;
  readonly parse: ParseSpec;
  readonly specs: SpecIndex;
}

/** `unreadable`: somebody edited the record, or another version wrote it; the run cannot go on. `fresh`: nothing was decided about it before. */
export type Loaded =
  | { readonly kind: 'loaded'; readonly run: LoadedRun; readonly resourceVersion: string; readonly fresh: boolean }
  | { readonly kind: 'unreadable'; readonly state: RunState; readonly resourceVersion: string; readonly message: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly message: string };

/** Reads the record, the spec in it, and the run that this one repeats. Never rejects for an answer of the store. */
export async function loadRun(deps: LoadDeps, record: ObservedRecord): Promise<Loaded> {
  const read = await deps.store.read(record.name);
  if (read.kind !== 'found') return read;
  if (read.value.record.uid !== record.uid) return { kind: 'absent' };
  const { resourceVersion } = read.value.record;
  const content = contentOf(deps, read.value);
  const state = typeof read.value.state === 'object' ? read.value.state : { startedAt: deps.clock.now(), steps: {}, undo: {} };
  if (typeof content === 'string') return { kind: 'unreadable', state, resourceVersion, message: content };
  const earlier = await earlierRun(deps, record);
  if (earlier.kind === 'failed') return earlier;
  const run = { uid: record.uid, spec: content, parameters: read.value.parameters, earlier: earlier.state, state, notBefore: 0, confirmed: new Set<string>(), absent: new Set<string>(), refusals: new Map(), failures: new Map(), told: new Set<string>(), patched: new Map() };
  return { kind: 'loaded', run, resourceVersion, fresh: read.value.state === undefined };
}

/** The spec, or why it cannot be had. */
function contentOf(deps: LoadDeps, { record, data, state }: StoredRecord): WorkflowSpec | string {
  if (state === 'broken') return 'the state in its record cannot be read';
  if (data === undefined) return 'its record holds no spec';
  const known = currentSpec(deps, record, data);
  if (known) return known;
  const parsed = deps.parse({ file: `configmap/${record.name}`, objectName: targetName(record), label: record.target.kind, data });
  if (isRunnable(parsed.spec)) return parsed.spec;
  const [first] = parsed.problems.filter(({ severity }) => severity === 'error');
  return `the spec in its record cannot be read: ${first ? describeProblem(first) : 'it is nothing that can be run'}`;
}

/** A run of the text as it stands now, as most are: it is parsed already, which takes long where it has thousands of steps. */
function currentSpec({ specs }: LoadDeps, { request, target }: ObservedRecord, data: Readonly<Record<string, string>>): WorkflowSpec | undefined {
  for (const claim of specs.claims(target)) {
    const { spec, name } = claim.parsed;
    if (!isRunnable(spec) || !request || name !== targetOf(request).name) continue;
    const now = specs.data(claim);
    // Both ways: a glob of the same text may name more files by now.
    if (now && [...Object.keys(data), ...spec.files].every((key) => now[key] === data[key])) return spec;
  }
  return undefined;
}

/** What is gone, or cannot be read, has no successes to carry over. */
async function earlierRun(deps: LoadDeps, { request }: ObservedRecord): Promise<{ readonly kind: 'read'; readonly state: RunState | undefined } | { readonly kind: 'failed'; readonly message: string }> {
  const earlier = request?.rerunOf;
  if (!earlier) return { kind: 'read', state: undefined };
  const read = await deps.store.read(earlier.run);
  if (read.kind === 'failed') return { kind: 'failed', message: `the earlier run "${earlier.run}": ${read.message}` };
  const same = read.kind === 'found' && read.value.record.uid === earlier.uid && typeof read.value.state === 'object';
  return { kind: 'read', state: same && typeof read.value.state === 'object' ? read.value.state : undefined };
}
