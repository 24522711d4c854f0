/** Fields that every kind of spec has. */
import type { JsonObject } from '../lib/json.ts';

export interface CommonSpec {
  /** Logical name: the spec's `name`, else the ConfigMap's (or the file's base) name. */
  readonly name: string;
  /** Hash over the parsed spec before defaulting and the data keys it names: a comment changes nothing. */
  readonly hash: string;
  readonly suspend: boolean;
  /** Plan and report, create nothing. */
  readonly observe: boolean;
  readonly onSpecDelete: 'delete' | 'finish';
  readonly onSpecChange: 'keep' | 'replace';
  readonly retention: Retention;
  readonly jobMetadata: ExtraMetadata;
  readonly podMetadata: ExtraMetadata;
  readonly health: { readonly includeLastRun: boolean };
  readonly concurrency: Concurrency;
}

/** `concurrency.max: unlimited`. More Jobs than any cluster holds, and a number that can be added to and written down. */
export const unlimited = 1_000_000;

export interface Concurrency {
  /** How many at once: Jobs of a Queue, runs of a Workflow or Template. At most `unlimited`. */
  readonly max: number;
  /** Group whose limit the Jobs share (see LimitsSpec). */
  readonly group?: string | undefined;
  /** Higher ones first where Jobs wait for the limits of the instance; absent: 0. */
  readonly priority?: number;
}

/** How many finished Jobs stay, and how long; undefined: no bound of that sort. Ages in milliseconds. */
export interface Retention {
  readonly succeeded: RetentionRule;
  readonly failed: RetentionRule;
  readonly beforeDelete?: BeforeDelete;
}
/** Who is told before something goes. */
export interface BeforeDelete {
  readonly url: string;
  /** Milliseconds for one call. */
  readonly timeout: number;
  /** Name of a folder of headers that the operator mounts. */
  readonly headersFromSecret?: string;
}
export interface RetentionRule {
  readonly count: number | undefined;
  readonly age: number | undefined;
}

export interface ExtraMetadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export const noMetadata: ExtraMetadata = { labels: {}, annotations: {} };

/** Operator settings that fill fields a job leaves unset (configuration key `jobDefaults`). */
export interface JobDefaults {
  /** Put before images that name no registry. */
  readonly imageRegistry?: string;
  readonly imagePullSecrets?: readonly string[];
  readonly resources?: JsonObject;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly JsonObject[];
  readonly labels?: Readonly<Record<string, string>>;
}
