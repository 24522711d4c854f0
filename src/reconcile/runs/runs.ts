/** Workflows and runs as the controller sees them: rounds of two kinds of keys, what wakes them, and how they begin and end. */
import type { ObservedRecord } from '../../plan/run/record.ts';
import { planRun } from '../../plan/run/plan-run.ts';
import { isOver } from '../../plan/run/summary.ts';
import { planRequest } from '../../plan/request/plan-request.ts';
import { planWorkflow } from '../../plan/workflow/plan-workflow.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { Clock } from '../../lib/clock.ts';
import { labelValue } from '../../lib/label-value.ts';
import type { PlanEnvironment } from '../../plan/environment.ts';
import type { PodPolicy } from '../../spec/pod-policy/policy.ts';
import type { Capacity } from '../capacity/capacity.ts';
import type { CreateGate } from '../create-gate.ts';
import type { DeletionCalls } from '../deletion-calls.ts';
import type { Explainer } from '../explainer.ts';
import { runKey, specText } from '../key.ts';
import type { Leadership } from '../leadership.ts';
import { Memory } from '../memory.ts';
import type { Meter, RunMeter } from '../meter.ts';
import type { ClusterCache, EventSink, JobApi, Log } from '../ports.ts';
import type { MessageRuns } from '../message-ports.ts';
import type { RecordCache, RecordStore } from '../record-ports.ts';
import type { Rounds } from '../reconciler.ts';
import type { Reporter } from '../reporter.ts';
import type { ParseSpec, SpecIndex } from '../spec-index.ts';
import type { TargetWaits } from '../target-waits.ts';
import type { TemplateChecker } from '../template-checker.ts';
import { JobTasks } from './job-tasks.ts';
import { RecordKeeper } from './record-keeper.ts';
import { RunMemory } from './run-memory.ts';
import { RunReporter } from './run-reporter.ts';
import { RequestRounds } from './request-rounds.ts';
import { RunRounds, type OnRound } from './run-rounds.ts';
import { WorkflowRounds, type WorkflowRoundsDeps } from './workflow-rounds.ts';

export interface RunsDeps {
  readonly clock: Clock;
  readonly environment: PlanEnvironment;
  readonly parse: ParseSpec;
  readonly cache: ClusterCache;
  readonly records: RecordCache;
  readonly store: RecordStore;
  readonly jobs: JobApi;
  readonly policy: PodPolicy;
  readonly memory: Memory;
  readonly gate: CreateGate;
  readonly specs: SpecIndex;
  readonly checker: TemplateChecker;
  readonly calls: DeletionCalls;
  readonly explainer: Explainer;
  readonly reporter: Reporter;
  readonly events: EventSink;
  readonly meter: Meter;
  readonly runMeter: RunMeter;
  readonly log: Log;
  readonly leadership: Leadership;
  readonly capacity: Capacity;
  readonly targets: TargetWaits;
  readonly inHand: WorkflowRoundsDeps['inHand'];
  readonly onRound?: OnRound;
  /** Asks for a round of a key. */
  readonly changed: (key: SpecKey) => void;
}

/** Milliseconds that the last writes of records may take at the end of the process. */
const flushLimit = 5000;

export class Runs {
  readonly workflow: Rounds;
  readonly run: Rounds;
  readonly request: Rounds;
  /** What messages need of runs that they start. */
  readonly messages: MessageRuns;
  readonly #deps: RunsDeps;
  readonly #workflows: WorkflowRounds;
  readonly #memory = new RunMemory();
  readonly #keeper: RecordKeeper;
  readonly #tasks: JobTasks;
  /** Runs that wait for a sub-run, by the name of its record: it may be gone when its change is told. */
  readonly #parents = new Map<string, string>();
  readonly #requests: RequestRounds;

  constructor(deps: RunsDeps) {
    this.#deps = deps;
    const { clock, store, changed } = deps;
    const reporter = new RunReporter(deps);
    this.#keeper = new RecordKeeper({
      clock,
      store,
      wrote: (name, result) => { reporter.recordWritten(name, result); },
      ended: (name, _uid, state) => { reporter.ended(name, state); },
      gone: (name, uid) => { this.#memory.gone(name, uid); },
      merged: (name, uid, state) => {
        this.#memory.merged(name, uid, state);
        changed(runKey(name));
      },
    });
    this.#tasks = new JobTasks({ ...deps, told: (key, news) => { reporter.task(key.name, news); }, settled: (name) => { deps.capacity.settled(name); } });
    const { records } = deps;
    this.messages = {
      of: (queue) => records.ofQueue(queue),
      hasSeen: (resourceVersion) => records.hasSeen(resourceVersion),
      create: (record) => store.create(record),
      mark: (record, settled) => this.#keeper.amend(record, { settled }),
      get problem() { return records.problem; },
    };
    const shared = { ...deps, keeper: this.#keeper, recordNames: new Memory({ clock, cache: deps.records }) };
    this.run = new RunRounds({ ...shared, plan: planRun, tasks: this.#tasks, runs: this.#memory, reporter });
    this.request = this.#requests = new RequestRounds({ ...shared, plan: planRequest });
    const workflows = (this.#workflows = new WorkflowRounds({ ...shared, plan: planWorkflow, runs: this.#memory }));
    this.workflow = {
      round: (key) => {
        deps.targets.targetChanged(key);
        return workflows.round(key);
      },
    };
  }

  /** What has to be looked at when this process begins to act: all that is not over, and workflows of which only history is left. */
  keys(): readonly SpecKey[] {
    const all = this.#deps.records.all();
    const found = new Map<string, SpecKey>();
    const add = (key: SpecKey): unknown => found.set(specText(key), key);
    for (const record of all) {
      this.#noteParent(record);
      add(record.target);
      if (!isOver(record.phase)) add(runKey(record.name));
      // Its Queue settles it, also one that nothing defines any more.
      if (record.message && !record.message.settled && record.request?.queue !== undefined) add({ kind: 'queue', name: labelValue(record.request.queue) });
    }
    return [...found.values()];
  }

  /** A record came, changed or went; `target` is the key of what it is a run of. */
  recordChanged(name: string, target: SpecKey): void {
    const { records, changed } = this.#deps;
    const record = records.get(name);
    if (record) this.#noteParent(record);
    changed(runKey(name));
    changed(target);
    this.#requests.recordChanged(name, record);
    const parent = this.#parents.get(name);
    if (parent !== undefined) changed(runKey(parent));
    if (!record) this.#parents.delete(name);
  }

  /** Another process led meanwhile: everything is read from the records again. */
  startAnew(): void {
    this.#memory.startAnew();
    this.#keeper.startAnew();
    this.#workflows.startAnew();
  }

  /** After the last round: creates under way end, and what was decided gets into the records. */
  async stop(): Promise<void> {
    await this.#tasks.stop();
    await this.#keeper.flush(flushLimit);
  }

  #noteParent({ name, request }: ObservedRecord): void {
    if (request?.parent) this.#parents.set(name, request.parent.run);
  }
}
