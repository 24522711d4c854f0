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

/** Pods of Indexed Jobs are named with their index, and job-chief's with the item map's suffix. */
const longestIndexed = 40;

/** Name of the attempt's Job. `indexed`: one Job for all items. */
export function stepJobName(workflow: string, place: AttemptPlace, indexed: boolean): string {
  return jobName(`${workflow}-${place.step}`, partsOf(place), indexed ? longestIndexed : undefined);
}

/** Name of the record of a sub-run. `workflow`: the one that it runs. */
export function subRunName(workflow: string, place: Omit<AttemptPlace, 'role'>): string {
  return jobName(workflow, partsOf({ ...place, role: 'do' }));
}

function partsOf({ uid, step, role, index, attempt }: AttemptPlace): (string | number)[] {
  return [uid, step, role, index ?? '', attempt];
}
