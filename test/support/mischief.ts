/** What people and nodes do to Jobs and pods on a stormy day, drawn from its seed. */
import { isTerminal, type PodObject } from '../../src/simulation/job-shape.ts';
import { jobs, pods, type KubeObject } from '../../src/simulation/objects.ts';
import type { Random } from '../../src/simulation/random.ts';
import type { Simulation } from './simulation.ts';

export interface Mischief<Victim> {
  readonly world: Simulation;
  readonly random: Random;
  /** For the story of the storm. */
  readonly tell: (text: string) => void;
  /** Called just before it happens. */
  readonly before?: (victim: Victim) => void;
}

/** Somebody deletes any Job that is there, in any way. */
export function deleteSomeJob({ world, random, tell, before }: Mischief<KubeObject>): void {
  const all = world.jobs();
  if (all.length === 0) return;
  const job = random.pick(all);
  const propagation = random.pick(['Foreground', 'Background', 'Orphan'] as const);
  tell(`delete Job ${job.metadata.name} (${propagation})`);
  before?.(job);
  world.cluster.registry.delete(jobs, job.metadata.name, { propagation });
}

/** A pod that lives is deleted or evicted, or its node is drained. */
export function loseSomePod({ world, random, tell, before }: Mischief<PodObject>): void {
  const living = world.pods().filter((pod) => !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined);
  if (living.length === 0) return;
  const pod = random.pick(living);
  const { name } = pod.metadata;
  tell(`lose pod ${name}`);
  before?.(pod);
  const { cluster } = world;
  random.pick<() => void>([
    () => { cluster.registry.delete(pods, name); },
    () => { cluster.kubelet?.drain(name); },
    () => { cluster.kubelet?.evict(name); },
  ])();
}
