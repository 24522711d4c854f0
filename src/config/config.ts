/** The operator's configuration as the rest of job-chief sees it: complete, checked, frozen; durations in milliseconds. */
import type { JobDefaults } from '../spec/common.ts';
import type { PodPolicy } from '../spec/pod-policy/policy.ts';
import type { HttpApiConfig } from './http-api.ts';
import type { ConnectionDefinition } from '../spec/connection.ts';
import type { LimitFields } from '../spec/limits.ts';

export interface Config {
  /** undefined: the pod's own, else that of the kubeconfig's context. */
  readonly namespace: string | undefined;
  readonly instance: string;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly specs: { readonly kind: 'configMaps' } | { readonly kind: 'folder'; readonly folder: string };
  readonly connections: ReadonlyMap<string, ConnectionDefinition>;
  readonly jobDefaults: JobDefaults | undefined;
  /** Its ownServiceAccount is only what the operator wrote. */
  readonly podPolicy: PodPolicy;
  readonly beforeDelete: { readonly urlPrefixes: readonly string[]; readonly headersFolder: string | undefined };
  readonly status: { readonly writeBack: boolean };
  /** Whether runs are kept in ConfigMaps; without that there are no workflows. */
  readonly records: { readonly enabled: boolean };
  /** Whether it is kept in ConfigMaps what became of messages. */
  readonly messageHistory: boolean;
  readonly events: boolean;
  readonly api: { readonly limits: { readonly qps: number; readonly burst: number } | 'off'; readonly concurrency: number; readonly timeout: number };
  readonly reconcile: { readonly concurrency: number };
  /** Bounds that hold beside those of Limits. */
  readonly limits: LimitFields;
  readonly highAvailability: { readonly enabled: boolean; readonly lease: string; readonly leaseDuration: number; readonly renewDeadline: number; readonly retryPeriod: number };
  readonly listen: { readonly host: string; readonly port: number };
  readonly httpApi: HttpApiConfig;
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  readonly shutdown: { readonly gracePeriod: number };
}
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A value and everything inside it, made unchangeable. */
export function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
