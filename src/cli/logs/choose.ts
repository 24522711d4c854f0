/** Which containers' logs are meant. */
import type { LogContainer, LogPod } from './log-pod.ts';

export interface LogChoice {
  /** undefined: what tells most, see below. */
  readonly container: string | undefined;
  readonly allContainers: boolean;
  /** Earlier attempts as well. */
  readonly previous: boolean;
}

export interface Chosen {
  readonly pod: LogPod;
  readonly container: LogContainer;
}

/** Pods by the time of their creation; of each step only the last attempt unless earlier ones were asked for. */
export function choosePods(pods: readonly LogPod[], { previous }: Pick<LogChoice, 'previous'>): readonly LogPod[] {
  const last = new Map<string, number>();
  for (const pod of pods) last.set(placeOf(pod), Math.max(pod.attempt, last.get(placeOf(pod)) ?? 0));
  const chosen = previous ? pods : pods.filter((pod) => pod.attempt === last.get(placeOf(pod)));
  return chosen.toSorted((left, right) => left.createdAt - right.createdAt || (left.name < right.name ? -1 : 1));
}

function placeOf({ step = '', index = '' }: LogPod): string {
  return `${step}/${index}`;
}

/** The regular containers, and before them an init container that has not got through: its log says why they do not start. */
export function chooseContainers(pod: LogPod, { container, allContainers }: Pick<LogChoice, 'container' | 'allContainers'>): readonly LogContainer[] {
  const { containers } = pod;
  if (container !== undefined) return containers.filter(({ name }) => name === container);
  if (allContainers) return containers;
  return containers.filter((one) => one.role === 'regular' || (one.role === 'init' && one.exitCode !== 0 && one.state !== 'waiting'));
}

/** All of them. */
export function choose(pods: readonly LogPod[], choice: LogChoice): readonly Chosen[] {
  return choosePods(pods, choice).flatMap((pod) => chooseContainers(pod, choice).map((container) => ({ pod, container })));
}

/** Names that there are, for those who misspelt one. */
export function containerNames(pods: readonly LogPod[]): readonly string[] {
  return [...new Set(pods.flatMap(({ containers }) => containers.map(({ name }) => name)))];
}
