/**
 * Carries out what plans decide about messages, beside the rounds: a thousand creates must not hold up the settling of what
 * ends meanwhile. What is asked about one message is one task at a time, and while it is under way plans decide nothing about
 * it. A task that came to nothing keeps its message for a growing pause, so that no round can spin on it.
 */
import PQueue from 'p-queue';
import { asError, sleep } from '../../lib/clock.ts';
import { growingPause } from '../../lib/growing-pause.ts';
import { idsOf, type MessageAction, type StartBatch, type StartMessage } from '../../plan/messages/action.ts';
import { carrierId, type MessageJobView } from '../../plan/messages/carrier.ts';
import { endOf } from '../../plan/messages/early-success.ts';
import type { SpecKey } from '../../plan/observed.ts';
import { specText } from '../key.ts';
import type { Log } from '../ports.ts';
import { IndexMarks } from './index-marks.ts';
import { MessageMemory } from './message-memory.ts';
import type { MessageStepDeps, MessageTask, Next } from './message-task.ts';
import { settleMessage } from './settle-message.ts';
import { dropBatch, startBatch } from './start-batch.ts';
import { postPayload, startMessage } from './start-message.ts';
import { startRun } from './start-run.ts';

/** Requests of one spec at once. */
const width = 64;
const firstPause = 10;
const longestPause = 30_000;

export interface MessageTasksDeps extends Omit<MessageStepDeps, 'marks'> {
  readonly log: Log;
  /** Nobody works on the create of that name for now. */
  readonly settled: (jobName: string) => void;
  /** The plan of the key may differ now. */
  readonly changed: (key: SpecKey) => void;
}

/** What goes on about the messages of one spec. */
interface Desk {
  readonly key: SpecKey;
  readonly memory: MessageMemory;
  readonly queue: PQueue;
  /** Ids of messages under way. */
  readonly underWay: Set<string>;
  /** Names of Jobs whose creates are. */
  readonly names: Set<string>;
  /** In a row, by id of the message. */
  readonly failures: Map<string, number>;
}

export class MessageTasks {
  readonly #deps: MessageTasksDeps & MessageStepDeps;
  readonly #desks = new Map<string, Desk>();
  readonly #stop = new AbortController();

  constructor(deps: MessageTasksDeps) {
    this.#deps = { ...deps, marks: new IndexMarks(deps.jobs) };
  }

  /** undefined: nothing was ever asked about messages of the key, or nothing is left of it. */
  memory(key: SpecKey): MessageMemory | undefined {
    return this.#desks.get(specText(key))?.memory;
  }

  /** The same, made where there is none. */
  memoryFor(key: SpecKey): MessageMemory {
    return this.#desk(key).memory;
  }

  #desk(key: SpecKey): Desk {
    const known = this.#desks.get(specText(key));
    if (known) return known;
    const made: Desk = { key, memory: new MessageMemory(this.#deps), queue: new PQueue({ concurrency: width }), underWay: new Set(), names: new Set(), failures: new Map() };
    this.#desks.set(specText(key), made);
    return made;
  }

  /** Ids about which something is being asked, or was, and the cache does not show it yet. */
  underWay(key: SpecKey): ReadonlySet<string> {
    const desk = this.#desks.get(specText(key));
    return desk ? new Set([...desk.underWay, ...desk.memory.unseen()]) : none;
  }

  /** Names of Jobs that are being created. */
  namesUnderWay(key: SpecKey): ReadonlySet<string> {
    return this.#desks.get(specText(key))?.names ?? none;
  }

  /** Returns at once. A message that is under way already is left alone. `jobs`: those that the plan looked at. */
  start(key: SpecKey, actions: readonly MessageAction[], jobs: readonly MessageJobView[]): void {
    if (actions.length === 0) return;
    const ends = endsOf(actions, jobs);
    for (const action of actions) this.#start(this.#desk(key), action, ends);
  }

  /** The message came into hand. */
  leased(key: SpecKey, id: string): void {
    this.#desks.get(specText(key))?.memory.leased(id);
  }

  /** Another process led meanwhile. Tasks under way end by themselves. */
  startAnew(): void {
    for (const [text, { underWay }] of this.#desks) if (underWay.size === 0) this.#desks.delete(text);
  }

  /** Nothing is left of the key. */
  forget(key: SpecKey): void {
    if (this.#desks.get(specText(key))?.underWay.size === 0) this.#desks.delete(specText(key));
  }

  /** Sends nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await Promise.all([...this.#desks.values()].map(({ queue }) => queue.onIdle()));
  }

  #start(desk: Desk, action: MessageAction, ends: ReadonlyMap<string, number>): void {
    const ids = idsOf(action);
    if (ids.some((id) => desk.underWay.has(id)) || this.#stop.signal.aborted) {
      if (isStart(action)) this.#deps.settled(action.jobName);
      return;
    }
    // It stands for many messages: plans count Jobs by names.
    if (action.kind === 'startBatch') this.#deps.memory.reserve(desk.key, action.jobName);
    if (isStart(action)) desk.names.add(action.jobName);
    for (const id of ids) desk.underWay.add(id);
    const finishedAt = action.kind === 'settle' && action.job ? ends.get(carrierId(action.job)) : undefined;
    this.#go(desk, { key: desk.key, action, memory: desk.memory, finishedAt, did: new Set() });
  }

  #go(desk: Desk, task: MessageTask): void {
    void desk.queue.add(async () => {
      const next = await this.#attempt(task);
      if (isStart(task.action)) this.#deps.settled(task.action.jobName);
      if (next === 'pause' || next === 'again') {
        // Others go on meanwhile.
        void this.#pause(desk, task).then(() => { this.#resume(desk, task, next); });
      } else {
        desk.failures.delete(task.action.id);
        this.#end(desk, task, next === 'round');
      }
    });
  }

  #resume(desk: Desk, task: MessageTask, next: Next): void {
    if (next === 'again' && !this.#stop.signal.aborted && this.#deps.leadership.leading) this.#go(desk, task);
    else this.#end(desk, task, true);
  }

  /** Never rejects. */
  async #attempt(task: MessageTask): Promise<Next> {
    const { leadership, log } = this.#deps;
    // Another process decides from here on, or soon this one decides anew.
    if (!leadership.leading || this.#stop.signal.aborted) return 'wait';
    try {
      return await this.#step(task);
    } catch (thrown) {
      log.error({ key: specText(task.key), messageId: task.action.id, err: asError(thrown) }, 'a message task failed unexpectedly');
      return task.did.size > 0 ? 'again' : 'pause';
    }
  }

  #step({ action, ...rest }: MessageTask): Promise<Next> {
    switch (action.kind) {
      case 'startMessage':
        return startMessage(this.#deps, { ...rest, action });
      case 'startBatch':
        return startBatch(this.#deps, { ...rest, action });
      case 'dropBatch':
        return dropBatch(this.#deps, { ...rest, action });
      case 'startRun':
        return startRun(this.#deps, { ...rest, action });
      case 'postPayload':
        return postPayload(this.#deps, { ...rest, action });
      case 'settle':
        return settleMessage(this.#deps, { ...rest, action });
    }
  }

  async #pause({ failures }: Desk, { action }: MessageTask): Promise<void> {
    const count = (failures.get(action.id) ?? 0) + 1;
    failures.set(action.id, count);
    await sleep(this.#deps.clock, growingPause(count, firstPause, longestPause), this.#stop.signal).catch(() => undefined);
  }

  #end({ key, underWay, names, failures }: Desk, { action }: MessageTask, again: boolean): void {
    if (isStart(action)) names.delete(action.jobName);
    for (const id of idsOf(action)) underWay.delete(id);
    // Ids of messages that somebody else had in the end.
    if (failures.size > longestFailures) failures.clear();
    if (again && !this.#stop.signal.aborted) this.#deps.changed(key);
  }
}

function isStart(action: MessageAction): action is StartMessage | StartBatch {
  return action.kind === 'startMessage' || action.kind === 'startBatch';
}

const longestFailures = 10_000;
const none: ReadonlySet<string> = new Set();

/** When those finished that are being settled, by carrierId. */
function endsOf(actions: readonly MessageAction[], jobs: readonly MessageJobView[]): ReadonlyMap<string, number> {
  if (!actions.some(({ kind }) => kind === 'settle')) return new Map();
  return new Map(jobs.flatMap((job) => {
    const at = endOf(job);
    return at === undefined ? [] : [[carrierId(job), at] as const];
  }));
}
