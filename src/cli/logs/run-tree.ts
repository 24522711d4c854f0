/**
 * A run and the runs that are steps of it, whose pods are looked at together. Modes of each: opening → open → its record
 * says that it is over, a last look at its pods → looked at → closed, once all that they wrote is read.
 */
import { projectRecord } from '../../adapters/kubernetes/project-record.ts';
import { configMaps, pods } from '../../adapters/kubernetes/resources.ts';
import type { Stored } from '../../adapters/kubernetes/store.ts';
import { targetName, type ObservedRecord } from '../../plan/run/record.ts';
import { isFinished } from '../runs/phases.ts';
import { frozenSpec } from '../runs/frozen-spec.ts';
import { runSelector, type RunClient } from '../runs/run-client.ts';
import type { Session } from '../runs/session.ts';
import type { Bell } from '../watch/bell.ts';
import { View, type ViewOptions } from '../watch/view.ts';
import { logPod, type LogPod } from './log-pod.ts';
import { podsOfRun, type LogSource } from './source.ts';

/** Runs whose pods are watched at once; the others come when one of these has ended. */
const mostBranches = 30;

/** One run of the tree, or a queue. */
export interface Branch {
  /** Steps that lead to it, as they stand in front of its lines; empty: it is what was asked for. */
  readonly path: readonly string[];
  readonly record: ObservedRecord | undefined;
  readonly pods: View<LogPod>;
  /** It was there when everything began: `tail` and `since` are about its pods that were there, too. */
  readonly early: boolean;
  state: 'open' | 'refreshing' | 'looked' | 'closed';
}

export interface RunTreeOptions {
  readonly session: Session;
  readonly source: LogSource;
  readonly bell: Bell;
}

export class RunTree {
  readonly #options: RunTreeOptions;
  readonly #records: View<ObservedRecord> | undefined;
  readonly #branches: Branch[];
  /** By UID: records that are followed, or are about to be. */
  readonly #known = new Set<string>();
  /** By UID of the parent: its steps that have several runs at once. */
  readonly #several = new Map<string, ReadonlySet<string>>();
  /** UIDs of the records that there were at the beginning. */
  #initial: ReadonlySet<string> | undefined;
  #opening = 0;
  #stopped = false;

  constructor(options: RunTreeOptions) {
    this.#options = options;
    const { session: { runs }, source: { record, labelSelector, hasSubRuns } } = options;
    this.#records = record && this.#view<ObservedRecord>({ resource: configMaps, labelSelector: runSelector(runs.instance, hasSubRuns ? undefined : targetName(record)), metadataOnly: true, project: (raw) => projectRecord(raw, runs.instance) });
    this.#branches = [this.#branch([], record, labelSelector, true)];
    if (record) this.#known.add(record.uid);
  }

  /** All that are not closed, what was asked for first. Throws where the right to look is missing. */
  branches(): readonly Branch[] {
    this.#records?.all();
    if (this.#records?.synced === true) this.#grow(this.#records);
    for (const branch of this.#open()) if (branch.state === 'open' && this.#isOver(branch)) void this.#lastLook(branch);
    return this.#open();
  }

  /** Everything that it wrote has been read. Whether the last look was before is for the tree to know. */
  read(branch: Branch): void {
    if (branch.state !== 'looked') return;
    branch.state = 'closed';
    void branch.pods.stop();
    this.#options.bell.ring();
  }

  /** All runs are closed, and no others will come. */
  get over(): boolean {
    return this.#opening === 0 && this.#open().length === 0 && (this.#records === undefined || this.#next(this.#records).length === 0);
  }

  /** Something else than what was asked for may be read as well. */
  get mayGrow(): boolean {
    return this.#options.source.hasSubRuns;
  }

  async close(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#records?.stop(), ...this.#branches.map(({ pods: view }) => view.stop())]);
  }

  #open(): readonly Branch[] {
    return this.#branches.filter(({ state }) => state !== 'closed');
  }

  #view<T extends Stored>(what: Pick<ViewOptions<T>, 'resource' | 'labelSelector' | 'metadataOnly' | 'project'>): View<T> {
    const { session: { runs, clock }, bell } = this.#options;
    return new View<T>({ ...what, client: runs.client, clock, bell });
  }

  #branch(path: readonly string[], record: ObservedRecord | undefined, labelSelector: string, early: boolean): Branch {
    return { path, record, pods: this.#view<LogPod>({ resource: pods, labelSelector, project: logPod }), early, state: 'open' };
  }

  /** Opens runs whose parents are followed, as many as may be. */
  #grow(records: View<ObservedRecord>): void {
    this.#initial ??= new Set(records.all().map(({ uid }) => uid));
    for (const { child, parent } of this.#next(records)) {
      if (this.#open().length + this.#opening >= mostBranches) return;
      this.#known.add(child.uid);
      this.#opening += 1;
      void this.#add(child, parent).finally(() => {
        this.#opening -= 1;
        this.#options.bell.ring();
      });
    }
  }

  #next(records: View<ObservedRecord>): { readonly child: ObservedRecord; readonly parent: Branch }[] {
    const { step } = this.#options.source;
    const parents = new Map(this.#branches.flatMap((branch) => (branch.record ? [[branch.record.uid, branch] as const] : [])));
    const found = records.all().flatMap((child) => {
      const { parent: note } = child.request ?? {};
      const parent = note && parents.get(note.uid);
      if (!parent || this.#known.has(child.uid) || (parent.path.length === 0 && step !== undefined && note.step !== step)) return [];
      return [{ child, parent }];
    });
    return found.sort((left, right) => left.child.createdAt - right.child.createdAt || (left.child.name < right.child.name ? -1 : 1));
  }

  async #add(child: ObservedRecord, parent: Branch): Promise<void> {
    const { session: { runs, err } } = this.#options;
    const { step = '', attempt = 1 } = child.request?.parent ?? {};
    const several = await this.#stepsWithItems(runs, parent);
    if (this.#stopped) return;
    const place = `${step}${attempt > 1 ? `#${attempt}` : ''}`;
    err(`step "${[...parent.path, place].join(' > ')}" is run "${child.name}"`);
    const path = [...parent.path, several === undefined || several.has(step) ? `${place} ${child.name}` : place];
    this.#branches.push(this.#branch(path, child, podsOfRun(runs.instance, child.name), this.#initial?.has(child.uid) === true));
  }

  /** undefined: the text of the run cannot be read. Never rejects. */
  async #stepsWithItems(runs: RunClient, { record }: Branch): Promise<ReadonlySet<string> | undefined> {
    if (!record) return undefined;
    const known = this.#several.get(record.uid);
    if (known) return known;
    const content = await runs.content(record.name).catch(() => undefined);
    const spec = content?.data && frozenSpec(record, content.data);
    const several = spec && new Set([...spec.steps, ...spec.finally].flatMap(({ name, forEach }) => (forEach ? [name] : [])));
    if (several) this.#several.set(record.uid, several);
    return several;
  }

  #isOver({ record }: Branch): boolean {
    const view = this.#records;
    if (!record || view?.synced !== true) return false;
    const now = view.get(record.name);
    return now?.uid !== record.uid || isFinished(now);
  }

  /** The record may be seen before the last of the pods. */
  async #lastLook(branch: Branch): Promise<void> {
    branch.state = 'refreshing';
    await branch.pods.refresh();
    branch.state = 'looked';
    this.#options.bell.ring();
  }
}
