/** The demo's live view: one line whenever something is different. */
import { stateLabel } from '../../../src/spec/keys.ts';
import { namespace } from './installation.ts';
import type { Kubectl } from './kubectl.ts';
import type { Producer } from './messages.ts';
import { say } from './say.ts';

interface Item {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly status?: { readonly phase?: string; readonly active?: number; readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export interface WatchOptions {
  readonly kubectl: Kubectl;
  readonly producer: Producer;
  /** Examples: the name of the ConfigMap, and its queue. */
  readonly examples: readonly { readonly name: string; readonly queue: string }[];
  /** Throws when it must not go on. */
  readonly check: () => void;
}

/** States in which job-chief waits on purpose: the example's Job came to a bad end, as the example is there to show. */
const waiting: ReadonlySet<string> = new Set(['Waiting', 'Blocked']);

/** Until every queue is empty, or left alone after a failure, and no pod lives; rejects after `limit` milliseconds. */
export async function watchUntilEmpty({ kubectl, producer, examples, check }: WatchOptions, limit: number): Promise<void> {
  const began = performance.now();
  const shown = new Map<string, string>();
  const show = (key: string, text: string): void => {
    if (shown.get(key) !== text) say(text);
    shown.set(key, text);
  };
  for (;;) {
    check();
    const { living, states } = showCluster(kubectl, show);
    const left = await showQueues(producer, examples.map(({ name, queue }) => ({ queue, counts: !waiting.has(states.get(name) ?? '') })), show);
    if (left === 0 && living === 0) return;
    if (performance.now() - began > limit) throw new Error(`after ${limit / 1000} s ${left} messages are left and ${living} pods live`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

type Show = (key: string, text: string) => void;

async function showQueues(producer: Producer, queues: readonly { readonly queue: string; readonly counts: boolean }[], show: Show): Promise<number> {
  let left = 0;
  for (const { queue, counts } of queues) {
    const { waiting, active, completed } = await producer.depths(queue);
    if (counts) left += waiting + active;
    show(`queue ${queue}`, `queue  ${queue.padEnd(22)} ${String(waiting).padStart(3)} waiting ${String(active).padStart(3)} active ${String(completed).padStart(3)} done`);
  }
  return left;
}

function showCluster(kubectl: Kubectl, show: Show): { readonly living: number; readonly states: ReadonlyMap<string, string> } {
  const list = (kind: string, ...more: string[]): readonly Item[] => (JSON.parse(kubectl.run('get', kind, '-n', namespace, '-o', 'json', ...more)) as { items: Item[] }).items;
  const states = new Map(list('configmap', '-l', 'job-chief').map(({ metadata }) => [metadata.name, metadata.labels?.[stateLabel] ?? 'not seen yet']));
  for (const [name, state] of states) show(`spec ${name}`, `spec   ${name.padEnd(22)} ${state}`);
  for (const job of list('job')) {
    const ended = job.status?.conditions?.find((condition) => condition.status === 'True' && (condition.type === 'Complete' || condition.type === 'Failed'));
    show(`job ${job.metadata.name}`, `Job    ${job.metadata.name.padEnd(32)} ${ended?.type ?? `active pods: ${job.status?.active ?? 0}`}`);
  }
  const pods = list('pod');
  for (const pod of pods) show(`pod ${pod.metadata.name}`, `pod    ${pod.metadata.name.padEnd(38)} ${pod.status?.phase ?? ''}`);
  return { living: pods.filter((pod) => pod.status?.phase === 'Pending' || pod.status?.phase === 'Running').length, states };
}
