/**
 * Makes the calls that plans ask for before something is deleted, beside the rounds, and remembers what came of them for as
 * long as a plan asks. After a restart all are made again: whoever is called knows them by their id.
 */
import PQueue from 'p-queue';
import type { Clock } from '../lib/clock.ts';
import type { CallDemand } from '../plan/action.ts';
import type { Calls, CallState, SpecKey } from '../plan/observed.ts';
import { specText } from './key.ts';
import type { Meter } from './meter.ts';
import type { DeletionHook, Log } from './ports.ts';

/** Calls at once, over all specs. */
const width = 16;

export interface DeletionCallsOptions {
  readonly clock: Clock;
  readonly hook: DeletionHook;
  readonly meter: Pick<Meter, 'action'>;
  readonly log: Log;
  /** The plan of the key may differ now. */
  readonly changed: (key: SpecKey) => void;
}

export class DeletionCalls {
  readonly #options: DeletionCallsOptions;
  readonly #queue = new PQueue({ concurrency: width });
  /** By key, then by id; only what the key's last plan asked about. */
  readonly #states = new Map<string, Map<string, CallState>>();

  constructor(options: DeletionCallsOptions) {
    this.#options = options;
  }

  states(key: SpecKey): Calls {
    return this.#states.get(specText(key)) ?? none;
  }

  /** All demands of one plan. */
  ask(key: SpecKey, demands: readonly CallDemand[]): void {
    const text = specText(key);
    const before = this.#states.get(text);
    if (demands.length === 0) {
      this.#states.delete(text);
      return;
    }
    this.#states.set(text, new Map(demands.flatMap(({ id }) => entryOf(before, id))));
    for (const demand of demands) if (demand.start && before?.get(demand.id)?.kind !== 'underWay') this.#start(key, demand, before?.get(demand.id));
  }

  #start(key: SpecKey, demand: CallDemand, before: CallState | undefined): void {
    this.#states.get(specText(key))?.set(demand.id, { kind: 'underWay' });
    void this.#queue.add(() => this.#call(key, demand, before?.kind === 'failed' ? before.count : 0));
  }

  async #call(key: SpecKey, demand: CallDemand, failures: number): Promise<void> {
    const { clock, hook, meter, log, changed } = this.#options;
    const answer = await hook.call(demand);
    meter.action(key, 'call', 'RetentionExceeded', answer.kind === 'accepted' ? 'done' : 'failed');
    const told = { spec: specText(key), id: demand.id, url: withoutQuery(demand.url) };
    if (answer.kind === 'accepted') log.info({ ...told, code: 'RetentionExceeded' }, 'told of a deletion');
    else log.warn({ ...told, code: 'BeforeDeleteFailed', because: answer.message, failures: failures + 1 }, 'the call before a deletion failed');
    const states = this.#states.get(specText(key));
    if (states?.has(demand.id) !== true) return;
    states.set(demand.id, answer.kind === 'accepted' ? { kind: 'accepted' } : { kind: 'failed', message: answer.message, at: clock.now(), count: failures + 1 });
    changed(key);
  }
}

const none: Calls = new Map();

function entryOf(states: ReadonlyMap<string, CallState> | undefined, id: string): [string, CallState][] {
  const state = states?.get(id);
  return state ? [[id, state]] : [];
}

/** Keys of APIs tend to stand there. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '');
}
