/** What reading one spec gives: always a kind and a name to report under, a spec where there are no errors. */
import type { JobDefaults } from './common.ts';
import type { LimitsSpec } from './limits.ts';
import type { PodPolicy } from './pod-policy/policy.ts';
import type { Problem } from './problem.ts';
import type { QueueSpec } from './queue.ts';
import type { RunSpec } from './run.ts';
import type { WorkflowSpec } from './workflow.ts';

export type Spec = QueueSpec | WorkflowSpec | RunSpec | LimitsSpec;

/** Whether runs of it can be started: workflows and templates. */
export function isRunnable(spec: Spec | undefined): spec is WorkflowSpec {
  return spec?.kind === 'Workflow' || spec?.kind === 'Template';
}

/** One labelled ConfigMap, or one spec file, as it was found. Pure data: reading it is the caller's work. */
export interface SpecInput {
  /** For positions: `configmap/NAME`, or the file's name as the user gave it. */
  readonly file: string;
  /** The ConfigMap's name, or the file's base name without extension: default of the logical name. */
  readonly objectName: string;
  /** Value of the label `job-chief`; undefined for a bare spec file, whose `kind` then decides. */
  readonly label: string | undefined;
  /** Data keys; the spec is `spec.yaml`. */
  readonly data: Readonly<Record<string, string>>;
  /** It is a folder on a disk: keys of `data` are paths below it, and names of files in the spec may hold a slash. */
  readonly paths?: boolean;
  /** The ConfigMap opts out of Flux's substitution (annotation kustomize.toolkit.fluxcd.io/substitute: disabled). */
  readonly substituteDisabled?: boolean;
}

/** What the operator's configuration adds to reading a spec. Lint without a configuration leaves both out. */
export interface SpecEnvironment {
  readonly jobDefaults?: JobDefaults;
  /** Known connections; undefined: names are not checked. */
  readonly connections?: ReadonlyMap<string, { readonly type: string; readonly injectable: boolean }>;
  /** Prefixes of URLs that `beforeDelete` may have; undefined: not checked. */
  readonly urlPrefixes?: readonly string[];
  /** Given by lint only: the controller judges Jobs, not texts, so that a policy that changes makes no spec invalid that has started something. */
  readonly policy?: PodPolicy;
}

export interface ParsedSpec {
  /** Kind from the text, else from the label; undefined where neither names one that exists. */
  readonly kind: Spec['kind'] | undefined;
  /** Logical name, as far as it could be read; else the object's name. */
  readonly name: string;
  /** undefined where the text could not be parsed at all. */
  readonly hash: string | undefined;
  /** Present exactly when no problem has severity `error`. */
  readonly spec: Spec | undefined;
  readonly problems: readonly Problem[];
}
