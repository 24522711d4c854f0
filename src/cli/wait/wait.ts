/**
 * Waits for a run, or for a spec and the run that its text stands for. Modes: looking at specs and records, as watches show
 * them → following the run that decides → the end. An API server that does not answer is waited for.
 */
import { configMaps } from '../../adapters/kubernetes/resources.ts';
import { projectRecord } from '../../adapters/kubernetes/project-record.ts';
import type { Stored } from '../../adapters/kubernetes/store.ts';
import { identityOf } from '../../adapters/kubernetes/watch-event.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import { kindLabel } from '../../spec/keys.ts';
import { exitCode, UserError } from '../exit-code.ts';
import { elapsed } from '../runs/elapsed.ts';
import { followRun } from '../runs/follow.ts';
import { hint, runTarget } from '../runs/lookup.ts';
import { runSelector } from '../runs/run-client.ts';
import type { Session } from '../runs/session.ts';
import { specView, type SpecView } from '../runs/spec-view.ts';
import { oneLine } from '../runs/table.ts';
import { targetText } from '../runs/target.ts';
import { Bell } from '../watch/bell.ts';
import { View } from '../watch/view.ts';
import { verdictOf, type Verdict, type Wanted } from './verdict.ts';

export interface WaitOptions extends Wanted {
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeout: number | undefined;
}

/** A look now and then costs nothing, should a watch ever miss something. */
const longestPause = 600_000;

interface Seen extends Stored {
  readonly view: SpecView;
}

/** 0: it has come; 1: it can come no more; 3: it did not come in time. Throws a UserError where nothing has the name. */
export async function waitFor(session: Session, options: WaitOptions): Promise<number> {
  const waiter = new Waiter(session, options);
  let decision: Decision;
  try {
    decision = await waiter.decide();
  } finally {
    await waiter.stop();
  }
  if (decision.kind === 'code') return decision.code;
  const { record } = decision;
  const code = await followRun(session, { name: record.name, target: runTarget(record), timeout: waiter.left() });
  return options.goal.kind !== 'succeeded' && code === exitCode.no ? exitCode.ok : code;
}

type Decision = { readonly kind: 'code'; readonly code: number } | { readonly kind: 'run'; readonly record: ObservedRecord };

class Waiter {
  readonly #session: Session;
  readonly #options: WaitOptions;
  readonly #began: number;
  readonly #bell: Bell;
  readonly #specs: View<Seen>;
  readonly #records: View<ObservedRecord>;
  #told = '';

  constructor(session: Session, options: WaitOptions) {
    const { runs, clock } = session;
    this.#session = session;
    this.#options = options;
    this.#began = clock.monotonic();
    this.#bell = new Bell(clock);
    const common = { client: runs.client, clock, resource: configMaps, bell: this.#bell };
    this.#specs = new View<Seen>({ ...common, labelSelector: kindLabel, project: (raw) => {
      const view = specView(raw, runs.instance);
      const identity = identityOf(raw);
      return view && identity && { ...identity, view };
    } });
    this.#records = new View<ObservedRecord>({ ...common, labelSelector: runSelector(runs.instance), metadataOnly: true, project: (raw) => projectRecord(raw, runs.instance) });
  }

  async stop(): Promise<void> {
    await Promise.all([this.#specs.stop(), this.#records.stop()]);
  }

  /** Milliseconds; undefined: no limit. */
  left(): number | undefined {
    const { timeout } = this.#options;
    return timeout === undefined ? undefined : Math.max(0, timeout - this.#waited());
  }

  async decide(): Promise<Decision> {
    for (;;) {
      const decision = this.#look();
      if (decision) return decision;
      const left = this.left() ?? longestPause;
      if (left <= 0) {
        this.#session.err(`${targetText(this.#options.target)} is not there yet after ${elapsed(this.#waited())}`);
        return { kind: 'code', code: exitCode.timedOut };
      }
      await this.#bell.wait(Math.min(left, longestPause));
    }
  }

  /** undefined: it is still open. */
  #look(): Decision | undefined {
    const specs = this.#specs.all();
    const records = this.#records.all();
    const trouble = this.#specs.trouble ?? this.#records.trouble;
    if (trouble !== undefined) this.#say(`no answer from the cluster, which is waited for: ${trouble}`);
    if (!this.#specs.synced || !this.#records.synced) return undefined;
    return this.#decided(verdictOf({ specs: specs.map(({ view }) => view), records }, this.#options));
  }

  #decided(verdict: Verdict): Decision | undefined {
    const { target } = this.#options;
    switch (verdict.kind) {
      case 'open':
        this.#say(verdict.message);
        return undefined;
      case 'met':
      case 'never':
        this.#say(verdict.message);
        return { kind: 'code', code: verdict.kind === 'met' ? exitCode.ok : exitCode.no };
      case 'run':
        return this.#followed(verdict.record);
      case 'several':
        throw new UserError(`several things are called "${target.name}": say which, as ${verdict.kinds.map((kind) => `${kind}/${target.name}`).join(' or ')}`);
      case 'unknown':
        throw new UserError(`there is no ${target.kind === undefined ? `spec and no run "${target.name}"` : targetText(target)} in namespace ${this.#session.runs.namespace}${hint(target.name, verdict.known, 'job-chief status lists what there is')}`);
    }
  }

  #followed(record: ObservedRecord): Decision {
    if (this.#options.goal.kind === 'condition') throw new UserError(`run "${record.name}" has no conditions: they are those of specs`);
    if (this.#options.target.name !== record.name) this.#say(`run "${record.name}"`);
    return { kind: 'run', record };
  }

  #say(text: string): void {
    if (text === this.#told) return;
    this.#told = text;
    this.#session.err(`${elapsed(this.#waited()).padStart(7)}  ${oneLine(text)}`);
  }

  #waited(): number {
    return this.#session.clock.monotonic() - this.#began;
  }
}
