/** `job-chief status QUEUE --message ID`, and `--messages`: what became of messages, by Jobs that are there and by the history. */
import { KubernetesHistories } from '../../adapters/kubernetes/histories.ts';
import { instanceSelector, keySelector } from '../../adapters/kubernetes/labels.ts';
import { newShared, projectJob } from '../../adapters/kubernetes/project-job.ts';
import { jobs } from '../../adapters/kubernetes/resources.ts';
import { labelValue } from '../../lib/label-value.ts';
import { messagesOf, noMessages, type MessageView } from '../../plan/messages/view.ts';
import { newestRows, rowsOf, type MessageRow } from '../../plan/messages/message-rows.ts';
import type { SpecKey } from '../../plan/observed.ts';
import { reachOf, type StoredHistory } from '../../reconcile/messages/history-ports.ts';
import type { ReadResult } from '../../reconcile/ports.ts';
import { UserError } from '../exit-code.ts';
import { listObjects } from '../runs/list-objects.ts';
import { hint } from '../runs/lookup.ts';
import type { RunClient } from '../runs/run-client.ts';
import { readTarget } from '../runs/target.ts';

/** What the history can be asked for. */
export type Reach =
  /** Every message that was settled after this time, as far as job-chief ran. */
  | { readonly kind: 'since'; readonly time: number }
  | { readonly kind: 'none' | 'unreadable'; readonly message: string };

export interface ShownMessages {
  /** Logical name. */
  readonly queue: string;
  /** undefined: the newest of all. */
  readonly id: string | undefined;
  /** The newest first: of one message each of its Jobs, of all the last Job of each. */
  readonly rows: readonly MessageRow[];
  /** How many more there are. */
  readonly more: number;
  readonly reach: Reach;
}

/** Throws a UserError where there is no such queue, or nothing is known of the message. */
export async function readMessages(runs: RunClient, name: string, { id, limit }: { readonly id: string | undefined; readonly limit: number }): Promise<ShownMessages> {
  const queue = queueNamed(name);
  const key: SpecKey = { kind: 'queue', name: labelValue(queue) };
  const [messages, history] = await Promise.all([withJobs(runs, key), new KubernetesHistories(runs).read(key)]);
  const known = { messages, entries: history.kind === 'found' ? (history.value.history?.entries ?? []) : [] };
  if (messages.length === 0 && history.kind !== 'found') await requireQueue(runs, queue);
  const all = id === undefined ? newestRows(known) : rowsOf(known, id);
  const reach = reachText(history);
  if (id !== undefined && all.length === 0) throw new UserError(`nothing is known of message "${id}" of queue "${queue}": no Job is there for it, and ${reach.kind === 'since' ? `the history, which goes back to ${new Date(reach.time).toISOString()}, does not have it` : reach.message}`);
  const rows = id === undefined ? all.slice(0, limit) : all;
  return { queue, id, rows, more: all.length - rows.length, reach };
}

function queueNamed(name: string): string {
  const target = readTarget(name);
  if (target.kind !== undefined && target.kind !== 'queue') throw new UserError(`messages are of queues: queue/${target.name}, not ${name}`);
  return target.name;
}

/** Messages that have Jobs now, or runs. */
async function withJobs(runs: RunClient, key: SpecKey): Promise<readonly MessageView[]> {
  const labelSelector = `${instanceSelector(runs.instance)},${keySelector(key.kind, [key.name])}`;
  const [raw, records] = await Promise.all([listObjects(runs.client, { resource: jobs, labelSelector }), runs.runs()]);
  const shared = newShared();
  const own = records.filter(({ request }) => request?.queue !== undefined && labelValue(request.queue) === key.name);
  const found = raw.flatMap((object) => {
    const job = projectJob(object, shared);
    return job ? [{ ...job, pods: [] }] : [];
  });
  return messagesOf({ jobs: found }, { ...noMessages, runs: own });
}

async function requireQueue(runs: RunClient, queue: string): Promise<void> {
  const queues = (await runs.specs()).filter(({ kind }) => kind.toLowerCase() === 'queue').map(({ name }) => name);
  if (!queues.includes(queue)) throw new UserError(`there is no queue "${queue}" in namespace ${runs.namespace}${hint(queue, queues, queues.length === 0 ? 'there is none at all' : `there is ${queues.toSorted().join(', ')}`)}`);
}

function reachText(history: ReadResult<StoredHistory>): Reach {
  if (history.kind === 'failed') return { kind: 'unreadable', message: `the history cannot be read: ${history.message}` };
  if (history.kind === 'absent') return { kind: 'none', message: 'the queue has no history: nothing was settled yet, or none is kept' };
  const time = reachOf(history.value);
  return time === undefined ? { kind: 'unreadable', message: 'nobody can read what its history says' } : { kind: 'since', time };
}
