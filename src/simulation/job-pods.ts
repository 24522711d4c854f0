/** Which pods a Job wants, and how they look. */
import type { JsonObject } from '../lib/json.ts';
import { backoffUntil, indexAnnotation, indexOf, type JobMemory, type Tally } from './job-tally.ts';
import type { Container, JobObject, PodObject } from './job-shape.ts';
import type { Random } from './random.ts';

/** Up to so many pods in one sync, as the real controller. */
const mostPerSync = 500;

export interface PodNeed {
  /** One entry for each pod to make: its index, or undefined. */
  readonly create: readonly (number | undefined)[];
  readonly remove: readonly PodObject[];
  /** Where back-off holds pods back: when to look again. */
  readonly at: number | undefined;
}

const nothing: PodNeed = { create: [], remove: [], at: undefined };

/** The pods to make and to delete now. */
export function podsNeeded(job: JobObject, count: Tally, memory: JobMemory, now: number): PodNeed {
  if (job.spec.suspend) return { ...nothing, remove: count.active };
  const wanted = wantedActive(job, count);
  const excess = count.active.length - wanted;
  if (excess > 0) return { ...nothing, remove: leastReady(count.active).slice(0, excess) };
  // Measured: with podReplacementPolicy Failed a replacement starts only after the old pod is gone.
  const held = job.spec.podReplacementPolicy === 'Failed' ? count.terminating : [];
  const missing = Math.min(wanted - count.active.length - held.length, mostPerSync);
  if (missing <= 0) return nothing;
  return job.spec.completionMode === 'Indexed' ? indexedNeed(job, count, memory, { now, missing, held }) : plainNeed(memory, now, missing);
}

/**
 * Without completions the Job is a work queue: `parallelism` pods until the first of them succeeds, and no new one from
 * then on.
 */
function wantedActive(job: JobObject, count: Tally): number {
  const { parallelism, completions } = job.spec;
  if (completions === undefined) return count.succeeded > 0 ? Math.min(count.active.length, parallelism) : parallelism;
  return Math.max(Math.min(completions - count.succeeded - count.failedIndexes.size, parallelism), 0);
}

function plainNeed(memory: JobMemory, now: number, missing: number): PodNeed {
  const until = backoffUntil(memory);
  if (until > now) return { ...nothing, at: until };
  return { ...nothing, create: Array.from({ length: missing }, () => undefined) };
}

function indexedNeed(job: JobObject, count: Tally, memory: JobMemory, now: { now: number; missing: number; held: readonly PodObject[] }): PodNeed {
  const perIndex = job.spec.backoffLimitPerIndex !== undefined;
  const busy = new Set([...count.active, ...now.held].map(indexOf));
  const create: number[] = [];
  let at: number | undefined;
  for (let index = 0; index < (job.spec.completions ?? 0) && create.length < now.missing; index += 1) {
    if (busy.has(index) || count.completedIndexes.has(index) || count.failedIndexes.has(index)) continue;
    const until = backoffUntil(memory, perIndex ? index : undefined);
    if (until > now.now) at = Math.min(at ?? until, until);
    else create.push(index);
  }
  return { create, remove: [], at };
}

/** Pods without a node go first, then those that are not running, then the youngest. */
function leastReady(active: readonly PodObject[]): PodObject[] {
  const rank = (pod: PodObject): number => (pod.spec.nodeName === undefined ? 0 : pod.status.phase === 'Pending' ? 1 : 2);
  return [...active].sort((a, b) => rank(a) - rank(b) || (a.metadata.creationTimestamp > b.metadata.creationTimestamp ? -1 : 1));
}

/** The manifest of one pod of the Job. */
export function podOf(job: JobObject, index: number | undefined, random: Random): JsonObject {
  const { metadata: meta, spec } = job.spec.template;
  const name = index === undefined ? `${job.metadata.name}-${random.suffix()}` : `${job.metadata.name}-${index}-${random.suffix()}`;
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: job.metadata.name, uid: job.metadata.uid, controller: true, blockOwnerDeletion: true };
  if (index === undefined) return { metadata: { ...meta, name, ownerReferences: [owner] }, spec };
  const marks = { [indexAnnotation]: String(index) };
  const metadata = { ...meta, name, ownerReferences: [owner], labels: { ...meta.labels, ...marks }, annotations: { ...meta.annotations, ...marks } };
  const indexed = (containers: readonly Container[]): Container[] => containers.map((container) => withIndex(container, index));
  const init = spec.initContainers ? { initContainers: indexed(spec.initContainers) } : {};
  return { metadata, spec: { ...spec, hostname: `${job.metadata.name}-${index}`, ...init, containers: indexed(spec.containers) } };
}

/** In init containers too; what the user gave that name stays. */
function withIndex(container: Container, index: number): Container {
  if (container.env?.some((entry) => entry['name'] === 'JOB_COMPLETION_INDEX') === true) return container;
  return { ...container, env: [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', value: String(index) }] };
}
