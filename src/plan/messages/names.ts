/** Names of Jobs that are asked for or left over, and the messages they are for. */
import type { Observed, Reservation } from '../observed.ts';
import { messageJobName, type MessageJobInput } from './message-job.ts';
import type { MessagesView } from './observed.ts';
import type { MessageView } from './view.ts';

/** So many later Jobs a message may have had that are all gone, with a pod left. */
const serialsLookedFor = 10;

export class TakenNames {
  readonly #observed: Observed;
  readonly #input: Pick<MessageJobInput, 'key' | 'spec' | 'environment'> | undefined;
  readonly #reserved: ReadonlySet<string>;
  readonly #left: ReadonlySet<string>;
  /** A pod lives of a batch whose Job is gone: which message it has, only that Job could say. */
  readonly #batchLeft: boolean;
  /** Each is a hash, and is asked for more than once in a plan. */
  readonly #names = new Map<string, string>();

  /** `input` undefined: nobody starts Jobs here. */
  constructor(observed: Observed, input: Pick<MessageJobInput, 'key' | 'spec' | 'environment'> | undefined) {
    this.#observed = observed;
    this.#input = input;
    const seen = new Set(observed.jobs.map(({ name }) => name));
    this.#reserved = new Set(observed.reservations.flatMap(({ jobName }) => (seen.has(jobName) ? [] : [jobName])));
    this.#left = new Set(observed.orphans.flatMap(({ jobName }) => (jobName === undefined ? [] : [jobName])));
    this.#batchLeft = observed.orphans.some(({ step }) => step?.index !== undefined);
  }

  /** A create is not in view yet; or a Job is gone, this one, the one before or a later one, and a pod of it still lives. */
  inTheWay(id: string, serial: number): 'create' | 'pods' | undefined {
    if (!this.#input || (this.#reserved.size + this.#left.size === 0 && !this.#batchLeft)) return undefined;
    const name = this.#nameOf(this.#input, id, serial);
    if (this.#reserved.has(name)) return 'create';
    return this.#batchLeft || this.#isLeft(this.#input, id, serial) ? 'pods' : undefined;
  }

  /** Nobody may remember any more how many Jobs there were. */
  #isLeft(input: Pick<MessageJobInput, 'key' | 'spec' | 'environment'>, id: string, serial: number): boolean {
    for (let one = serial - 1; this.#left.size > 0 && one < serial + serialsLookedFor; one += 1) if (this.#left.has(this.#nameOf(input, id, one))) return true;
    return false;
  }

  /** Creates that are under way: one for each of these messages, and what else is reserved. */
  inFlight(messages: readonly MessageView[], view: MessagesView): number {
    const theirs = this.#namesOf(messages, view);
    return messages.length + [...this.#reserved].filter((name) => !theirs.has(name)).length;
  }

  /** Names of which nobody knows whether their Job is there, and about which nothing is being asked. */
  doubted(messages: readonly MessageView[], view: MessagesView): readonly Reservation[] {
    if (this.#reserved.size === 0) return [];
    const asked = this.#namesOf(messages.filter(({ underWay }) => underWay), view);
    const isAsked = (name: string): boolean => asked.has(name) || view.namesUnderWay?.has(name) === true;
    // What a task reserved before its create is in no doubt; a task that died leaves none under way.
    return this.#observed.reservations.filter(({ jobName, state }) => this.#reserved.has(jobName) && !isAsked(jobName) && (state === 'unknown' || (state === 'pending' && view.underWay.size === 0)));
  }

  #namesOf(messages: readonly MessageView[], view: MessagesView): ReadonlySet<string> {
    const input = this.#input;
    if (!input || this.#reserved.size === 0) return new Set();
    return new Set(messages.map(({ id, jobs: [newest] }) => this.#nameOf(input, id, ((newest?.message.note ?? view.deleted?.get(id))?.serial ?? 0) + 1)));
  }

  #nameOf(input: Pick<MessageJobInput, 'key' | 'spec' | 'environment'>, id: string, serial: number): string {
    const key = `${serial} ${id}`;
    const name = this.#names.get(key) ?? messageJobName(input, id, serial);
    this.#names.set(key, name);
    return name;
  }
}
