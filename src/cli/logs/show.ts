/** What there is to read now: container after container, in the order of their pods. */
import { PodLog } from '../../adapters/kubernetes/pod-logs.ts';
import { listAll } from '../../adapters/kubernetes/list-all.ts';
import { pods } from '../../adapters/kubernetes/resources.ts';
import { isObject } from '../../lib/json.ts';
import { exitCode, UserError } from '../exit-code.ts';
import type { Session } from '../runs/session.ts';
import { choose, containerNames, type Chosen } from './choose.ts';
import { logPod, type LogPod } from './log-pod.ts';
import type { LogOptions } from './options.ts';
import { prefixOf } from './prefix.ts';
import { printItem } from './printer.ts';
import type { LogSource } from './source.ts';

/** 0: printed; 1: nothing of it is left. */
export async function showLogs(session: Session, source: LogSource, options: LogOptions): Promise<number> {
  const all = await listPods(session, source);
  const own = source.record ? all : newestJob(all);
  const chosen = choose(own, options);
  if (own.length === 0) {
    session.err(`${source.title} has no pods: none was started, or they are gone with their Jobs`);
    return exitCode.no;
  }
  if (chosen.length === 0) throw new UserError(noContainer(options.container, own));
  const prefixed = options.prefix ?? chosen.length > 1;
  for (const one of chosen) await showOne(session, one, { ...options, prefix: prefixed, pods: own });
  return exitCode.ok;
}

/** Names the containers that there are. */
export function noContainer(container: string | undefined, all: readonly LogPod[]): string {
  return `no pod has a container "${container ?? ''}"; there is ${containerNames(all).join(', ')}`;
}

async function listPods({ runs }: Session, { labelSelector }: LogSource): Promise<readonly LogPod[]> {
  const list = await listAll({ client: runs.client, resource: pods, labelSelector }, new AbortController().signal, (raw) => (isObject(raw) ? logPod(raw) : undefined), () => undefined);
  if (list.kind === 'failed') throw new UserError(`cannot list pods in namespace ${runs.namespace}: ${list.failure.message}`);
  return [...list.objects.values()];
}

/** A queue starts one Job after the other: the last one is meant. */
function newestJob(all: readonly LogPod[]): readonly LogPod[] {
  const newest = all.reduce<LogPod | undefined>((latest, pod) => (latest && latest.createdAt >= pod.createdAt ? latest : pod), undefined);
  return all.filter(({ job }) => job === newest?.job);
}

interface OneOptions extends LogOptions {
  readonly pods: readonly LogPod[];
}

async function showOne(session: Session, { pod, container }: Chosen, { pods: all, prefix, timestamps, tail, since, previous }: OneOptions): Promise<void> {
  const head = prefix === true ? prefixOf(pod, container.name, all) : '';
  if (container.state === 'waiting' && container.restarts === 0) {
    session.err(`${head === '' ? '' : `${head} `}container "${container.name}" of pod "${pod.name}" has not started: ${container.waits}`);
    return;
  }
  const lives = previous && container.restarts > 0 ? [true, false] : [false];
  const { client } = session.runs;
  for (const earlier of lives) {
    const log = new PodLog({ client, clock: session.clock, pod: pod.name, container: container.name, previous: earlier });
    for await (const item of log.read({ follow: false, tail, since, signal: new AbortController().signal })) {
      if (earlier && item.kind === 'gone') continue;
      await printItem(session, item, { prefix: head, timestamps });
    }
  }
}
