/** What plans need to know of the operator's configuration. Fixed while the process lives. */
import type { JsonObject } from '../lib/json.ts';
import type { QueueSource } from '../spec/queue-source.ts';

export interface PlanEnvironment {
  readonly instance: string;
  readonly namespace: string;
  /** Env, volumes and mounts that give a worker the connection; undefined where it is not injectable. */
  injection(source: QueueSource): Injection | undefined;
}

export interface Injection {
  readonly env: readonly JsonObject[];
  readonly volumes: readonly JsonObject[];
  readonly volumeMounts: readonly JsonObject[];
}
