/** What stands in front of lines from several containers: as much as is needed to tell them apart. */
import type { LogPod } from './log-pod.ts';

/**
 * `load`, `load#2` for its second attempt, `load[3]` for an item, the pod's name for queues and where several pods have one
 * of these; `/container` where the pod has several. `path`: the steps that lead to its run, before it: `sub > load`.
 */
export function prefixOf(pod: LogPod, container: string, all: readonly LogPod[], path: readonly string[] = []): string {
  const regular = pod.containers.filter(({ role }) => role === 'regular');
  const isOnly = regular.length === 1 && regular[0]?.name === container;
  const head = headOf(pod);
  const isShared = all.some((other) => other.uid !== pod.uid && headOf(other) === head);
  return `[${[...path, isShared ? pod.name : head].join(' > ')}${isOnly ? '' : `/${container}`}]`;
}

function headOf({ name, step, index, attempt }: LogPod): string {
  if (step === undefined) return name;
  return `${step}${index === undefined ? '' : `[${index}]`}${attempt > 1 ? `#${attempt}` : ''}`;
}
