/** How actions name a Job that is there, and what they tell about one that is to be. */
import type { JsonObject } from '../lib/json.ts';

export interface JobRef {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** What job-chief itself has put into a manifest, as the very objects that are in it: the operator's policy is not about those. */
export type OwnParts = readonly JsonObject[];
