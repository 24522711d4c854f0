/** Names of what a run makes. They depend on the record's UID and the place in the run only: whoever tries meets the same name. */
import { jobName } from '../job-name.ts';

/** One attempt of a step, or of one of its items. */
export interface AttemptPlace {
  /** Of the record. */
  readonly uid: string;
  readonly step: string;
  readonly role: 'do' | 'undo';
  /** Of a step that has one Job for each item. */
  readonly index: number | undefined;
  /** From 1. */
  readonly attempt: number;
}

/** Kubernetes allows 57 where indexes have five digits; a pod's host name adds to that. */
const longestIndexed = 40;
const longestUsual = 52;
/** The hash and the dash before it. */
const tail = 13;

/** Name of the attempt's Job, with as much of both names as fits. `indexed`: one Job for all items. */
export function stepJobName(workflow: string, place: AttemptPlace, indexed: boolean): string {
  const longest = indexed ? longestIndexed : longestUsual;
  const { step } = place;
  const room = longest - tail - 1;
  const ofWorkflow = Math.max(room - step.length, Math.floor(room / 2));
  return jobName(`${workflow.slice(0, ofWorkflow)}-${step}`, partsOf(place), longest);
}

/** Name of the record of a sub-run. `workflow`: the one that it runs. */
export function subRunName(target: string, place: Omit<AttemptPlace, 'role'>): string {
  return jobName(target, partsOf({ ...place, role: 'do' }));
}

function partsOf({ uid, step, role, index, attempt }: AttemptPlace): (string | number)[] {
  return [uid, step, role, index ?? '', attempt];
}
