/** Specs from ConfigMaps that users labelled. */
import { objectAt, stringAt } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Clock } from '../../lib/clock.ts';
import { substitutionDisabled } from '../../spec/input-rules.ts';
import { defaultInstance, instanceLabel, kindLabel, stateLabel, statusAnnotation } from '../../spec/keys.ts';
import type { Log, ReadResult, SpecDocument, SpecSource } from '../../reconcile/ports.ts';
import type { KubernetesClient } from './client.ts';
import { annotationsOf, labelsOf, textsAt, timeAt } from './labels.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorMeter } from './reflector.ts';
import { configMaps } from './resources.ts';
import { hasReached } from './resource-version.ts';
import { identityOf } from './watch-event.ts';

export interface ConfigMapSourceOptions {
  readonly client: Pick<KubernetesClient, 'get' | 'list' | 'watch'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly instance: string;
  readonly log: Log;
  /** The document with this id came, changed or went. */
  readonly onChange: (id: string) => void;
  readonly meter?: (resource: string) => ReflectorMeter;
}

interface CachedSpec {
  readonly name: string;
  readonly uid: string;
  readonly document: SpecDocument;
}

/** An id is the ConfigMap's name. */
export class ConfigMapSpecs implements SpecSource {
  readonly reflector: Reflector<CachedSpec>;
  readonly #options: Pick<ConfigMapSourceOptions, 'client' | 'instance'>;

  constructor(options: ConfigMapSourceOptions) {
    this.#options = options;
    const { instance, onChange, meter, ...rest } = options;
    this.reflector = new Reflector<CachedSpec>({
      ...rest,
      resource: configMaps,
      labelSelector: specSelector(instance),
      meter: meter?.(configMaps.plural),
      project: (raw) => projectSpec(raw, instance),
      onChange: (change) => {
        onChange(change.kind === 'deleted' ? change.before.name : change.after.name);
      },
    });
  }

  hasSeen(resourceVersion: string): boolean {
    return hasReached(this.reflector.resourceVersion, resourceVersion);
  }

  start(): void {
    this.reflector.start();
  }

  stop(): Promise<void> {
    return this.reflector.stop();
  }

  get synced(): boolean {
    return this.reflector.synced;
  }

  ids(): readonly string[] {
    return [...this.reflector.values()].map((spec) => spec.name);
  }

  get(id: string): SpecDocument | undefined {
    return this.reflector.get(id)?.document;
  }

  async look(id: string): Promise<ReadResult<SpecDocument>> {
    const { client, instance } = this.#options;
    const found = await client.get(configMaps, id);
    if (found.kind !== 'found') return found;
    const spec = kindLabel in labelsOf(found.value) ? projectSpec(found.value, instance) : undefined;
    return spec ? { kind: 'found', value: spec.document } : { kind: 'absent' };
  }
}

/** An absent instance label means `default`, which no selector can say together with `default` itself: that one looks through all. */
function specSelector(instance: string): string {
  return instance === defaultInstance ? kindLabel : `${kindLabel},${instanceLabel}=${instance}`;
}

/** undefined: another instance's. */
function projectSpec(raw: JsonObject, instance: string): CachedSpec | undefined {
  const labels = labelsOf(raw);
  if ((labels[instanceLabel] ?? defaultInstance) !== instance) return undefined;
  const identity = identityOf(raw);
  if (!identity) throw new Error('ConfigMap without name or uid');
  const metadata = objectAt(raw, 'metadata');
  return {
    ...identity,
    document: {
      source: {
        kind: 'configMap',
        ...identity,
        createdAt: timeAt(metadata, 'creationTimestamp') ?? 0,
        deleting: stringAt(metadata, 'deletionTimestamp') !== undefined,
        writtenStatus: annotationsOf(raw)[statusAnnotation],
        writtenState: labels[stateLabel],
      },
      file: `configmap/${identity.name}`,
      objectName: identity.name,
      label: labels[kindLabel],
      data: textsAt(raw, 'data'),
      ...(substitutionDisabled(metadata) ? { substituteDisabled: true } : {}),
    },
  };
}
