/** The specs of the files that were named, and what is wrong with them. */
import type { SpecKey } from '../../plan/observed.ts';
import type { ParsedSpec, SpecEnvironment } from '../../spec/parsed.ts';
import type { Problem } from '../../spec/problem.ts';
import { checkSources } from '../lint/check.ts';
import type { SourceText } from '../lint/files.ts';
import { specKeyOf } from '../live/spec-key.ts';

/** One spec that would be applied. */
export interface PlannedSpec {
  readonly file: string;
  readonly key: SpecKey;
  readonly kind: string;
  readonly name: string;
  /** Of the ConfigMap; undefined: a bare spec file, which takes the place of what defines that name now. */
  readonly configMap: string | undefined;
  readonly parsed: ParsedSpec;
  readonly data: Readonly<Record<string, string>>;
}

export interface PlannedSpecs {
  readonly specs: readonly PlannedSpec[];
  readonly problems: readonly Problem[];
  /** Files hold specs for other namespaces or instances: a sentence each. */
  readonly elsewhere: readonly string[];
}

export interface Place {
  readonly namespace: string;
  readonly instance: string;
}

/** The controller judges Jobs by its policy, not texts: what that denies is a problem, and a spec all the same. */
export function asControllers({ policy: _policy, ...known }: SpecEnvironment): SpecEnvironment {
  return known;
}

/** With the checks of lint. Specs of other namespaces and instances are left out. */
export function plannedSpecs(sources: readonly SourceText[], environment: SpecEnvironment, here: Place): PlannedSpecs {
  const { problems } = checkSources(sources, environment);
  const { specs } = checkSources(sources, asControllers(environment));
  const isHere = ({ namespace, instance }: Place): boolean => (namespace === '' || namespace === here.namespace) && instance === here.instance;
  return {
    specs: specs.filter(isHere).map(({ file, parsed, input }) => {
      const kind = parsed.kind ?? input.label ?? '';
      return { file, key: specKeyOf(kind, parsed.name), kind, name: parsed.name, configMap: input.label === undefined ? undefined : input.objectName, parsed, data: input.data };
    }),
    problems,
    elsewhere: specs.filter((spec) => !isHere(spec)).map(({ name, namespace, instance, file }) => `${file}: "${name}" is left out: it is for ${instance === here.instance ? `namespace ${namespace}` : `instance ${instance}`}`),
  };
}
