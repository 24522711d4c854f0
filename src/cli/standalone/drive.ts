/** The engine inside this process, for one run: from the first look to its end, or to the signal that stops it. */
import type { Transport } from '../../adapters/kubernetes/transport.ts';
import { Engine } from '../../engine.ts';
import { sleep, type Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import { labelValue } from '../../lib/label-value.ts';
import type { RunPlan } from '../../plan/run/action.ts';
import type { RunCommands } from '../../plan/run/record.ts';
import { runKey, workflowKey } from '../../reconcile/key.ts';
import type { Log } from '../../reconcile/ports.ts';
import type { RecordStore, StoredRecord } from '../../reconcile/record-ports.ts';
import { specKey } from '../../spec/keys.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { standaloneInstance, type RunIdentity } from './identity.ts';
import { MemoryRecords } from './memory-records.ts';
import { quiet } from './quiet.ts';

export interface DriveDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly transport: Transport;
  readonly namespace: string;
  /** From then on nothing more is started. */
  readonly stop: AbortSignal;
  readonly createMap: RecordStore['createMap'];
  readonly onRound: (plan: RunPlan) => void;
  readonly note: (text: string) => void;
  readonly log: Log;
}

export interface PreparedRun {
  readonly identity: RunIdentity;
  readonly spec: WorkflowSpec;
  readonly text: string;
  readonly parameters: JsonObject;
  readonly commands: RunCommands;
  /** When its first Job was created, in milliseconds since 1970; undefined: it has none. */
  readonly startedAt: number | undefined;
}

/** What the run came to; undefined: it was stopped before, and its Jobs go on. */
export async function drive(run: PreparedRun, deps: DriveDeps): Promise<StoredRecord | undefined> {
  const records = new MemoryRecords(deps.createMap);
  const ended = Promise.withResolvers<boolean>();
  const engine = engineFor(run, { deps, records, ended: () => { ended.resolve(true); } });
  const stopped = whenAborted(deps.stop);
  try {
    const started = engine.start().then(() => true, () => false);
    if (!(await Promise.race([started, stopped]))) return undefined;
    if (run.commands.cancel === undefined) await leftoversGone(engine, run, deps);
    if (deps.stop.aborted) return undefined;
    records.begin(recordOf(run, deps.clock));
    if (!(await Promise.race([ended.promise, stopped]))) return undefined;
  } finally {
    await engine.stop();
  }
  return records.stored;
}

interface EngineParts {
  readonly deps: DriveDeps;
  readonly records: MemoryRecords;
  readonly ended: () => void;
}

function engineFor({ identity, spec: written }: PreparedRun, { deps, records, ended }: EngineParts): Engine {
  const { clock, random, log, transport, namespace, onRound } = deps;
  // Limits are a controller's matter: here nobody reads them, and a group that nobody declares starts nothing.
  const spec = { ...written, concurrency: { max: 1 } };
  return new Engine({
    ...quiet,
    clock,
    random,
    log,
    transport,
    environment: { instance: standaloneInstance, namespace, injection: () => undefined },
    // It was read before, with the files beside it.
    parse: () => ({ kind: spec.kind, name: spec.name, hash: spec.hash, spec, problems: [] }),
    specs: { kind: 'none' },
    status: false,
    records: (changed) => records.connect(changed),
    events: 'read',
    identity: identity.name,
    api: { limits: { qps: 50, burst: 100 }, timeout: 15_000 },
    concurrency: 4,
    onRound: (_record, plan) => {
      onRound(plan);
      if (plan.state.end) ended();
    },
  });
}

function recordOf({ identity, spec, text, parameters, commands, startedAt }: PreparedRun, clock: Clock): StoredRecord {
  return {
    record: {
      ...identity,
      resourceVersion: '',
      createdAt: startedAt ?? clock.now(),
      deleting: false,
      ownerUid: undefined,
      ownerless: true,
      target: workflowKey(labelValue(spec.name)),
      request: { workflow: spec.name, trigger: 'request' },
      phase: 'Running',
      result: undefined,
      commands,
    },
    data: { [specKey]: text },
    parameters,
    state: startedAt === undefined ? undefined : { startedAt, steps: {}, undo: {} },
  };
}

/** Milliseconds between two looks. */
const pause = 500;
const mostNamed = 3;

/** A Job that is being deleted would be met as if it stayed, and pods of one that is gone may still do its work. */
async function leftoversGone({ cluster }: Engine, { identity }: PreparedRun, { clock, stop, note }: DriveDeps): Promise<void> {
  const key = runKey(identity.name);
  for (let told = false; !stop.aborted; told = true) {
    const left = [...cluster.jobs(key).filter(({ deleting }) => deleting).map(({ name }) => `Job ${name}`), ...cluster.orphans(key).map(({ name }) => `pod ${name}`)];
    if (left.length === 0) return;
    if (!told) note(`waits until what was deleted is gone: ${left.slice(0, mostNamed).join(', ')}${left.length > mostNamed ? ` and ${left.length - mostNamed} more` : ''}`);
    await sleep(clock, pause, stop).catch(() => undefined);
  }
}

/** Resolves with false. */
function whenAborted(signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    else signal.addEventListener('abort', () => { resolve(false); }, { once: true });
  });
}
