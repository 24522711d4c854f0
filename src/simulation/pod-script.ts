/** What will happen to a pod: written by tests and by `simulate`, acted out by the simulated kubelet. All in milliseconds. */
import type { Clock } from '../lib/clock.ts';
import type { PodObject } from './job-shape.ts';
import type { Random } from './random.ts';

/** How a container ends. */
export interface Exit {
  readonly code: number;
  /** OOMKilled, StartError, …; Completed or Error when absent. */
  readonly reason?: string;
  /** The termination message. */
  readonly message?: string;
}

/** A line that a container writes so long after it has started, if it still runs then. */
export interface ScriptedLine {
  readonly after: number;
  readonly text: string;
}

/** A container that runs code: a queue's worker, for instance. Its clock stops with it. */
export interface RunningContainer {
  readonly pod: PodObject;
  readonly clock: Clock;
  readonly random: Random;
  exit(exit: Exit): void;
  /** Writes a line to the container's log. */
  print(text: string): void;
  /** Called when the pod is asked to stop; without it, `stopsAfter` decides. */
  onStop(run: () => void): void;
}

export interface PodScript {
  /** The scheduler finds no node for this long; Infinity: never. */
  readonly unschedulable?: { readonly for: number; readonly message?: string };
  /** From the node's choice to the running container when nothing is in the way. */
  readonly startsAfter?: number;
  /** Pulling fails for this long; Infinity: never heals. */
  readonly image?: { readonly for: number; readonly reason?: 'ErrImagePull' | 'InvalidImageName'; readonly message?: string };
  /** The container cannot be made for this long, as with a missing Secret in env. */
  readonly config?: { readonly for: number; readonly reason?: 'CreateContainerConfigError' | 'CreateContainerError'; readonly message?: string };
  /** How long the containers run; Infinity: they never end by themselves. */
  readonly runs?: number;
  readonly exit?: Exit;
  /** For restartPolicy OnFailure: the exit of the n-th start; the last one stays. */
  readonly exits?: readonly Exit[];
  /** What the first container writes to its log. */
  readonly log?: readonly ScriptedLine[];
  /** Other values for containers of these names. Init containers have their log only, all of it at once. */
  readonly containers?: Readonly<Record<string, { readonly runs?: number; readonly exit?: Exit; readonly log?: readonly ScriptedLine[] }>>;
  /** Runs instead of `runs` and `exit`, in the first container. */
  readonly work?: (container: RunningContainer) => void;
  /** From SIGTERM to the end; longer than the grace period: killed with 137. */
  readonly stopsAfter?: number;
  /** From the last container's end to the pod's phase. Measured 1.04-1.11 s; with an unwilling sidecar 10 s. */
  readonly phaseAfter?: number;
  /** The kubelet evicts it this long after the containers started: Failed with DisruptionTarget, and not deleted. */
  readonly evictedAfter?: number;
  /** Its node is silent from this long after the start on; the pod then sticks in Terminating until the node is removed. */
  readonly nodeLost?: { readonly after: number; readonly removedAfter?: number };
}

/** Chooses a script for each new pod. */
export type Scriptwriter = (pod: PodObject, random: Random) => PodScript;

/** Starts in 0.6 s, works for 5 s, ends with 0. */
export const ordinaryPod: Scriptwriter = () => ({});

export const defaultRun = 5000;
export const defaultStop = 200;
