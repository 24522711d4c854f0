/**
 * The live look that precedes each create. Callers that ask while a look is under way share the next one, so that a
 * burst of a thousand queues costs forty requests instead of two thousand. Modes: idle → gathering (until the current
 * turn of the event loop is over) → looking → looking again for those who came meanwhile → idle.
 */
import { objectAt, stringAt } from '../../lib/json.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { LiveView, ReadResult } from '../../reconcile/ports.ts';
import { isForbidden } from './api-error.ts';
import type { ApiFailure } from './api-error.ts';
import type { KubernetesClient, ListResult } from './client.ts';
import { instanceSelector, keyOf, keySelector } from './labels.ts';
import { finishedOf, sequenceOf } from './project-job.ts';
import { jobs, pods } from './resources.ts';
import { identityOf } from './watch-event.ts';

type Answer = ReadResult<LiveView>;

interface Question {
  readonly key: SpecKey;
  readonly answer: (answer: Answer) => void;
}

/** A selector goes into the URL: 50 names of 63 characters are 3 KiB. */
const namesPerRequest = 50;

export class LiveLists {
  readonly #client: Pick<KubernetesClient, 'list'>;
  readonly #instance: string;
  #waiting: Question[] = [];
  #looking = false;

  constructor(options: { readonly client: Pick<KubernetesClient, 'list'>; readonly instance: string }) {
    this.#client = options.client;
    this.#instance = options.instance;
  }

  /** Never rejects. The requests that answer it are sent after this call. */
  ask(key: SpecKey): Promise<Answer> {
    return new Promise((answer) => {
      this.#waiting.push({ key, answer });
      if (this.#looking) return;
      this.#looking = true;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    // Let everyone who is about to ask in this turn do so.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const questions = this.#waiting;
      this.#waiting = [];
      await Promise.all(chunks(questions).map((chunk) => this.#answer(chunk)));
    }
    this.#looking = false;
  }

  /** Jobs and living pods of all keys in the chunk. One request failed: nobody in the chunk gets an answer. */
  async #answer(chunk: Chunk): Promise<void> {
    const labelSelector = `${instanceSelector(this.#instance)},${keySelector(chunk.kind, chunk.names)}`;
    const [jobList, podList] = await Promise.all([
      this.#client.list(jobs, { labelSelector, priority: 'first' }),
      this.#client.list(pods, { labelSelector, fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed', metadataOnly: true, priority: 'first' }),
    ]);
    const views = viewsOf(chunk, jobList, podList);
    for (const { key, answer } of chunk.questions) {
      answer(views.kind === 'found' ? { kind: 'found', value: views.value.get(key.name) ?? nothing } : views);
    }
  }
}

interface Chunk {
  readonly kind: SpecKey['kind'];
  readonly names: Set<string>;
  readonly questions: Question[];
}

const nothing: LiveView = { highestSequence: 0, liveJobs: [], livePods: [] };

function chunks(questions: readonly Question[]): readonly Chunk[] {
  const made: Chunk[] = [];
  for (const question of questions) {
    const { kind, name } = question.key;
    let chunk = made.find((each) => each.kind === kind && (each.names.has(name) || each.names.size < namesPerRequest));
    if (!chunk) made.push((chunk = { kind, names: new Set(), questions: [] }));
    chunk.names.add(name);
    chunk.questions.push(question);
  }
  return made;
}

function viewsOf(chunk: Chunk, jobList: ListResult, podList: ListResult): ReadResult<ReadonlyMap<string, LiveView>> {
  if (jobList.kind === 'failed') return unanswered(jobList.failure);
  if (podList.kind === 'failed') return unanswered(podList.failure);
  const jobsByName = byName(jobList.page.items);
  const podsByName = byName(podList.page.items);
  const views = [...chunk.names].map((name): [string, LiveView] => [name, viewOf(jobsByName.get(name) ?? [], podsByName.get(name) ?? [])]);
  return { kind: 'found', value: new Map(views) };
}

function viewOf(jobsOfKey: readonly unknown[], podsOfKey: readonly unknown[]): LiveView {
  return {
    highestSequence: Math.max(0, ...jobsOfKey.map((job) => sequenceOf(job) ?? 0)),
    liveJobs: jobsOfKey.filter(isLive).map(nameOf),
    livePods: podsOfKey.map(nameOf),
  };
}

function unanswered(failure: ApiFailure): ReadResult<never> {
  return { kind: 'failed', message: failure.message, forbidden: isForbidden(failure) };
}

function byName(items: readonly unknown[]): ReadonlyMap<string, unknown[]> {
  return Map.groupBy(items, (item) => keyOf(item)?.name ?? '');
}

function nameOf(raw: unknown): string {
  return identityOf(raw)?.name ?? '';
}

function isLive(job: unknown): boolean {
  return stringAt(objectAt(job, 'metadata'), 'deletionTimestamp') !== undefined || finishedOf(objectAt(job, 'status')) === undefined;
}
