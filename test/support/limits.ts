/** A world whose Jobs are counted after every change, and runs and limits in few words. */
import { encodeParameters } from '../../src/adapters/kubernetes/record-codec.ts';
import { recordManifest } from '../../src/adapters/kubernetes/record-manifest.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import type { RunRequest } from '../../src/plan/run/record.ts';
import { asJob, isFinished } from '../../src/simulation/job-shape.ts';
import { configMaps, jobs } from '../../src/simulation/objects.ts';
import * as keys from '../../src/spec/keys.ts';
import type { Simulation } from './simulation.ts';

/** A Limits as text; JSON is YAML. */
export function limitsText(fields: JsonObject): string {
  return JSON.stringify({ apiVersion: keys.apiVersion, kind: 'Limits', ...fields });
}

/** Applies it under that name; `text` instead of fields is taken as it is. */
export function applyLimits(world: Simulation, fields: JsonObject | string, name = 'limits'): void {
  const text = typeof fields === 'string' ? fields : limitsText(fields);
  world.applyObject(configMaps, { metadata: { name, labels: { [keys.kindLabel]: 'limits' } }, data: { [keys.specKey]: text } });
}

/** A run that somebody asks for. */
export function askFor(world: Simulation, name: string, request: Partial<RunRequest> = {}): void {
  const manifest = recordManifest({ name, request: { workflow: 'etl', trigger: 'request', ...request }, parameters: {}, data: undefined, owner: undefined }, encodeParameters({}), 'default');
  world.cluster.registry.create(configMaps, manifest);
}

/** What was live at once, as the API server had it. */
export class Peak {
  /** Most unfinished Jobs at any moment: of all, and of each group. */
  readonly most = new Map<string, number>();
  /** Names of Jobs in the order of their creation, with when (milliseconds since 1970). */
  readonly births: { readonly name: string; readonly run: string; readonly holder: string; readonly at: number }[] = [];
  readonly #live = new Map<string, string>();

  constructor(world: Simulation) {
    world.cluster.store.subscribe(({ type, resource, object, at }) => {
      if (resource !== jobs) return;
      const job = asJob(object);
      const { name, labels = {} } = job.metadata;
      if (type === 'ADDED') this.births.push({ name, run: labels[keys.runLabel] ?? '', holder: labels[keys.nameLabel] ?? '', at });
      if (type === 'DELETED' || isFinished(job)) this.#live.delete(name);
      else this.#live.set(name, labels[keys.groupLabel] ?? '');
      this.#count();
    });
  }

  /** Most of a group, or of all. */
  of(group = 'all'): number {
    return this.most.get(group) ?? 0;
  }

  /** Most creations within so many milliseconds. */
  within(milliseconds: number): number {
    const times = this.births.map(({ at }) => at);
    return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + milliseconds).length));
  }

  #count(): void {
    const now = new Map<string, number>([['all', this.#live.size]]);
    for (const group of this.#live.values()) if (group !== '') now.set(group, (now.get(group) ?? 0) + 1);
    for (const [group, count] of now) this.most.set(group, Math.max(count, this.of(group)));
  }
}
