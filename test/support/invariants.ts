/**
 * What must hold after every single change of the cluster, whatever goes wrong. Attach it to each simulated world; a
 * violation says when and what, and the run goes on, so that the first one can be told from its consequences.
 */
import { asJob, asPod, isFinished, isTerminal, type JobObject, type PodObject } from '../../src/simulation/job-shape.ts';
import { objectAt, stringAt } from '../../src/lib/json.ts';
import { jobs, pods } from '../../src/simulation/objects.ts';
import type { Change } from '../../src/simulation/store.ts';
import * as keys from '../../src/spec/keys.ts';
import type { SentRequest, Simulation } from './simulation.ts';

export interface Invariants {
  readonly violations: string[];
}

export interface InvariantOptions {
  /**
   * True while two controllers may act at once (or one that died still has requests on their way). Names are all that
   * holds then, and not even they when somebody deletes the newest Job in that moment: its sequence is free again.
   */
  readonly racing?: () => boolean;
}

export function watchInvariants(world: Simulation, { racing = () => false }: InvariantOptions = {}): Invariants {
  const violations: string[] = [];
  const deleted = new Map<string, number>();
  const report = (at: number, text: string): void => { violations.push(`${(at / 1000).toFixed(3)} s: ${text}`); };
  world.cluster.store.subscribe((change) => {
    if (change.resource === jobs) checkJob(change, report);
    const name = change.object.metadata.labels?.[keys.nameLabel] ?? '';
    if (change.resource === jobs && change.type === 'DELETED') deleted.set(name, change.at);
    const raced = racing();
    if (raced && change.at < (deleted.get(name) ?? -Infinity) + aMoment) return;
    if (change.resource === jobs || change.resource === pods) checkOneLive(world, change, { report, namesOnly: raced });
  });
  world.onRequest((request) => { checkDelete(world, request, report); });
  return { violations };
}

/** How long a request of a racing controller may be under way. */
const aMoment = 60_000;

type Report = (at: number, text: string) => void;

/** By the label that the Job controller gives its pods, which stays when a Job is deleted with its pods orphaned. At most one Job of a queue is live: unfinished, or with a living pod, also when the Job itself is gone. */
function checkOneLive(world: Simulation, change: Change, { report, namesOnly }: { report: Report; namesOnly: boolean }): void {
  const name = change.object.metadata.labels?.[keys.nameLabel];
  if (name === undefined) return;
  const instance = change.object.metadata.labels?.[keys.instanceLabel];
  const mine = (object: JobObject | PodObject): boolean => object.metadata.labels?.[keys.nameLabel] === name && object.metadata.labels[keys.instanceLabel] === instance;
  const live = new Set<string>();
  for (const job of world.jobs()) if (mine(job) && !isFinished(job)) live.add(job.metadata.uid);
  if (!namesOnly) for (const pod of world.pods()) if (mine(pod) && !isTerminal(pod)) live.add(pod.metadata.labels?.['batch.kubernetes.io/controller-uid'] ?? pod.metadata.uid);
  if (live.size > 1) report(change.at, `queue "${name}" has ${live.size} live Jobs after ${change.type} ${change.resource.plural}/${change.object.metadata.name}`);
}

/** Every Job is recognisable. */
function checkJob(change: Change, report: Report): void {
  const job = asJob(change.object);
  const { labels = {}, name } = job.metadata;
  if (change.type !== 'ADDED') return;
  for (const label of [keys.managedByLabel, keys.instanceLabel, keys.jobKindLabel, keys.nameLabel, keys.runLabel]) {
    if (labels[label] === undefined) report(change.at, `Job "${name}" has no label ${label}`);
  }
  if (name.length > 52) report(change.at, `the name of Job "${name}" has ${name.length} characters`);
}

/** Only finished Jobs whose outcome is written down are deleted by the controller itself. */
function checkDelete(world: Simulation, { method, path, body, at }: SentRequest, report: Report): void {
  const name = method === 'DELETE' ? path.split('/jobs/')[1] : undefined;
  const job = name === undefined ? undefined : world.job(name);
  if (!job || job.metadata.uid !== stringAt(objectAt(body, 'preconditions'), 'uid')) return;
  const outcome = job.metadata.annotations?.[keys.outcomeAnnotation] ?? '';
  if (!isFinished(job) || !outcome.includes('"final"')) report(at, `Job "${job.metadata.name}" is deleted before its outcome is written down`);
}

/** Names of Jobs that are live now, by queue. */
export function liveJobs(world: Simulation): string[] {
  return world.unfinishedJobs().map((job) => job.metadata.name);
}

/** Living pods, for messages. */
export function livingPods(world: Simulation): string[] {
  return world.pods().map(asPod).filter((pod) => !isTerminal(pod)).map((pod) => pod.metadata.name);
}
