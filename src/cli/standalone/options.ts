/** What `job-chief run FILE --standalone` is told. */
import type { GivenParameters } from '../runs/parameters.ts';

export interface StandaloneOptions {
  /** A spec, a ConfigMap manifest with one, or a folder with a spec.yaml. */
  readonly file: string;
  readonly parameters: GivenParameters;
  readonly namespace?: string | undefined;
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
  /** Tells one run from another of the same text and parameters; undefined: the one without an id. */
  readonly runId?: string | undefined;
  /** A run that nobody has started before. */
  readonly newRun: boolean;
  /** Delete what the run made once it has succeeded. */
  readonly cleanUp: boolean;
  /** End the run that was started before. */
  readonly cancel: boolean;
  /** `deploy`, `deploy=rejected`: the word on steps that wait for one. */
  readonly approve: readonly string[];
  readonly output: 'text' | 'json';
}
