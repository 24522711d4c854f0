/**
 * Leader election by a Lease, with the semantics of client-go: whoever writes its name into it holds it for as long as it
 * renews; the resourceVersion decides races; times written in it are never compared with a clock, only how long this
 * process has seen it unchanged. Modes: watching (somebody else holds it) → leading → watching again, or released.
 *
 * It leads until `renewDeadline` after the last renewal was sent, and no reply or timer is needed for it to end. Others
 * wait for `leaseDuration` after they saw that renewal; the difference is for requests that are still under way.
 */
import { asError, sleep, type Clock, type Timer } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Leadership } from '../../reconcile/leadership.ts';
import type { Log, ReadResult, WriteResult } from '../../reconcile/ports.ts';
import type { KubernetesClient } from './client.ts';
import { within } from './deadline.ts';
import { claimedBy, newLease, readLease, released, type LeaseRecord } from './lease-record.ts';
import { leases } from './resources.ts';

/** All in milliseconds. */
export interface LeaseTimes {
  readonly leaseDuration: number;
  readonly renewDeadline: number;
  readonly retryPeriod: number;
}

export interface LeaseOptions extends LeaseTimes {
  readonly client: Pick<KubernetesClient, 'get' | 'create' | 'mergePatch'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly name: string;
  /** Never used twice: a process that died must not be taken for its successor. */
  readonly identity: string;
  readonly meter: (leading: boolean) => void;
}

/** How often the release is tried against renewals that were still under way. */
const releaseAttempts = 3;

export class LeaseElector implements Leadership {
  readonly #options: LeaseOptions;
  readonly #listeners: (() => void)[] = [];
  readonly #stop = new AbortController();
  /** Monotonic time until which this process leads; undefined: it does not. */
  #until: number | undefined;
  #deadline: Timer | undefined;
  /** What we wrote last, as long as nothing speaks against its being there still. */
  #held: LeaseRecord | undefined;
  /** Somebody's renewal as we saw it first, with when (monotonic). */
  #observed: { readonly text: string; readonly at: number; readonly duration: number } | undefined;
  #complaint = '';
  #running: Promise<void> | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    options.meter(false);
  }

  get leading(): boolean {
    return this.#until !== undefined && this.#options.clock.monotonic() < this.#until;
  }

  onChange(told: () => void): void {
    this.#listeners.push(told);
  }

  /** Begins to strive for the lease. */
  start(): void {
    this.#running ??= this.#strive();
  }

  /** Gives the lease back. Call it only when everything that it guards has ended. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await this.#running;
    const held = this.#until !== undefined || this.#held !== undefined;
    this.#end();
    if (held) await this.#release();
  }

  async #strive(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#try();
      await sleep(this.#options.clock, this.#pause(), this.#stop.signal).catch(() => undefined);
    }
  }

  /**
   * Never longer than retryPeriod, so that the jitter costs nobody time. Who does not lead looks more often, so that a
   * lease that was given back is taken within half the period, and just when the holder's time is over.
   */
  #pause(): number {
    const { clock, random, retryPeriod } = this.#options;
    if (this.#until !== undefined || this.#complaint !== '') return retryPeriod * (0.8 + 0.2 * random());
    const look = retryPeriod * (0.3 + 0.15 * random());
    const expiry = this.#observed === undefined ? Infinity : this.#observed.at + this.#observed.duration - clock.monotonic();
    return Math.max(1, expiry > 0 ? Math.min(look, expiry) : look);
  }

  async #try(): Promise<void> {
    // The usual renewal needs no look: if anybody else has written meanwhile, the resourceVersion says so.
    if (this.#held !== undefined && (await this.#claim(this.#held))) return;
    const found = await this.#get();
    if (found.kind === 'failed') {
      this.#complain(`the Lease cannot be read: ${found.message}`);
      return;
    }
    const record = found.kind === 'found' ? readLease(found.value) : undefined;
    if (record === undefined || this.#isFree(record)) await this.#claim(record);
  }

  #isFree(record: LeaseRecord): boolean {
    const { clock, identity, leaseDuration } = this.#options;
    if (record.holder === '' || record.holder === identity) return true;
    if (this.#until !== undefined) this.#lose(`"${record.holder}" holds the Lease`);
    this.#complaint = '';
    if (this.#observed?.text !== record.text) {
      this.#observed = { text: record.text, at: clock.monotonic(), duration: record.duration ?? leaseDuration };
      return false;
    }
    return clock.monotonic() >= this.#observed.at + this.#observed.duration;
  }

  /** Writes our name over `before`, or into a new Lease. */
  async #claim(before: LeaseRecord | undefined): Promise<boolean> {
    const { clock } = this.#options;
    const spec = claimedBy(this.#options, before, clock.now());
    const began = clock.monotonic();
    const result = await this.#write(before, spec);
    if (result.kind !== 'done') {
      this.#held = undefined;
      if ('message' in result && result.kind !== 'conflict') this.#complain(`the Lease cannot be written: ${result.message}`);
      return false;
    }
    this.#held = readLease({ metadata: { resourceVersion: result.resourceVersion }, spec });
    this.#renewed(began);
    return true;
  }

  /** Counted from the sending: that is when the renewal that others see was made, or earlier. */
  #renewed(began: number): void {
    const { clock, renewDeadline, identity, name, meter, log } = this.#options;
    this.#complaint = '';
    // The answer came after the deadline: everything that waited on us has to hear of it, even if we lead again at once.
    if (this.#until !== undefined && !this.leading) this.#lose('the renewal came too late');
    const until = began + renewDeadline;
    if (until <= clock.monotonic()) return;
    const begins = this.#until === undefined;
    this.#until = until;
    this.#watchDeadline();
    if (!begins) return;
    this.#observed = undefined;
    log.info({ lease: name, identity }, 'leads');
    meter(true);
    this.#tell();
  }

  #watchDeadline(): void {
    const { clock } = this.#options;
    this.#deadline?.cancel();
    this.#deadline = clock.timer(Math.max(1, (this.#until ?? 0) - clock.monotonic()), () => {
      if (this.leading) this.#watchDeadline();
      else if (this.#until !== undefined) this.#lose(this.#complaint === '' ? 'it was not renewed in time' : this.#complaint);
    });
  }

  #lose(because: string): void {
    this.#options.log.warn({ lease: this.#options.name, because }, 'leads no longer');
    this.#end();
    this.#tell();
  }

  #end(): void {
    this.#until = undefined;
    this.#deadline?.cancel();
    this.#options.meter(false);
  }

  /** By GET first where our last write has no clean answer: it may or may not have come through. */
  async #release(): Promise<void> {
    const { clock, identity, name, log } = this.#options;
    for (let attempt = 0; attempt < releaseAttempts; attempt += 1) {
      const record = this.#held ?? (await this.#look());
      this.#held = undefined;
      if (record === undefined) continue;
      if (record.holder !== identity) return;
      const result = await this.#write(record, released(clock.now()));
      if (result.kind !== 'done') continue;
      log.info({ lease: name }, 'released');
      return;
    }
    log.warn({ lease: name }, 'the Lease could not be released; it expires by itself');
  }

  async #look(): Promise<LeaseRecord | undefined> {
    const found = await this.#get();
    return found.kind === 'found' ? readLease(found.value) : undefined;
  }

  #get(): Promise<ReadResult<JsonObject>> {
    const { client, name } = this.#options;
    return this.#within<ReadResult<JsonObject>>(() => client.get(leases, name, { priority: 'urgent' }), (message) => ({ kind: 'failed', message, forbidden: false }));
  }

  #write(before: LeaseRecord | undefined, spec: JsonObject): Promise<WriteResult> {
    const { client, name } = this.#options;
    const failed = (message: string): WriteResult => ({ kind: 'unknown', message });
    if (before === undefined) return this.#within(() => client.create(leases, newLease(name, spec), { priority: 'urgent' }), failed);
    // Without a resourceVersion in it the patch would overwrite anybody's.
    if (before.resourceVersion === '') return Promise.resolve(failed('the API server gave no resourceVersion'));
    return this.#within(() => client.mergePatch(leases, name, { metadata: { resourceVersion: before.resourceVersion }, spec }, { priority: 'urgent' }), failed);
  }

  /** One request must not use up the time to the deadline, whatever the client waits or tries again inside. */
  async #within<Result>(work: () => Promise<Result>, failed: (message: string) => Result): Promise<Result> {
    try {
      return await within(this.#options.clock, this.#options.renewDeadline / 2, undefined, work);
    } catch (thrown) {
      return failed(asError(thrown).message);
    }
  }

  /** Once for each cause, not every two seconds. */
  #complain(because: string): void {
    if (because === this.#complaint) return;
    this.#complaint = because;
    this.#options.log.warn({ lease: this.#options.name, because }, 'leader election');
  }

  #tell(): void {
    for (const told of this.#listeners) told();
  }
}
