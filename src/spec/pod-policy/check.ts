/**
 * Judges a whole Job by the operator's policy. Fails closed: what is not known to be allowed is denied, also a field that
 * no table has and a value of another shape than it should have.
 */
import { arrayAt, isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { nearest } from '../../lib/nearest.ts';
import { shown } from '../../lib/show.ts';
import type { FieldPath } from '../field-path.ts';
import { valueAt } from '../field-path.ts';
import { kubernetesVersion } from '../generated/kubernetes-job.ts';
import { referencesIn } from '../references.ts';
import { ceilingFindings } from './ceilings.ts';
import type { FieldRule, FieldTable } from './fields.ts';
import type { PolicyFinding } from './finding.ts';
import { podFields } from './pod-fields.ts';
import type { PodPolicy } from './policy.ts';
import { containersOf, restrictedFindings, type Part } from './restricted.ts';
import { accountFindings, no, rules, volumeTypeFindings, type Judging } from './rules.ts';
import { volumeFields } from './volume-fields.ts';

/** What is known about the Job beside its text. */
export interface JobContext {
  /** What job-chief itself put into the Job, as the very objects that are in it: env entries and volumes. */
  readonly ours?: readonly JsonObject[];
  /** References such as `$(params.image)` are still to be replaced: what depends on them is left out. */
  readonly open?: boolean;
}

/** All fields that are decided about. */
export const fieldTable: FieldTable = { ...podFields, ...volumeFields };

const podPath: FieldPath = ['spec', 'template', 'spec'];

/** What the policy has against the Job, nothing where it may be created. */
export function policyFindings(job: JsonObject, policy: PodPolicy, { ours = [], open = false }: JobContext = {}): PolicyFinding[] {
  const judging: Judging = { policy, ours: new Set(ours), isOpen: (value) => open && typeof value === 'string' && referencesIn(value).length > 0 };
  return [...visit(job, 'Job', [], judging), ...podFindings(valueAt(job, podPath), judging)];
}

/** The fields of a mapping, and what is inside them. */
function visit(value: Json, of: string, path: FieldPath, judging: Judging): PolicyFinding[] {
  if (judging.isOpen(value)) return [];
  if (!isObject(value)) return [no(path, undefined, `a mapping should stand here, not ${shown(value)}`, 'write it as Kubernetes does')];
  const table = fieldTable[of] ?? {};
  return Object.entries(value).flatMap(([name, entry]) => {
    if (entry === undefined || entry === null) return [];
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    return rule ? judge(entry, rule, [...path, name], judging) : [unknownField(name, Object.keys(table), [...path, name])];
  });
}

function judge(value: Json, rule: FieldRule, path: FieldPath, judging: Judging): PolicyFinding[] {
  if (rule.kind === 'denied') return isNothing(value) ? [] : [no(path, undefined, `"${String(path.at(-1))}" must not be set: ${rule.why ?? ''}`, 'remove it: no policy can allow it')];
  if (rule.inside === undefined) return judging.isOpen(value) ? [] : constrained(value, rule, path, judging);
  const entries = Array.isArray(value) ? value.map((entry, index) => ({ entry, at: [...path, index] })) : [{ entry: value, at: path }];
  const of = rule.inside;
  return entries.filter(({ entry }) => !judging.ours.has(entry)).flatMap(({ entry, at }) => [...constrained(entry, rule, at, judging), ...visit(entry, of, at, judging)]);
}

function constrained(value: Json, rule: FieldRule, path: FieldPath, judging: Judging): PolicyFinding[] {
  return (rule.by ?? []).flatMap((constraint) => rules[constraint](value, path, judging));
}

function isNothing(value: Json): boolean {
  return value === false || value === '' || (Array.isArray(value) && value.length === 0);
}

function unknownField(name: string, known: readonly string[], path: FieldPath): PolicyFinding {
  const guess = nearest(name, known);
  return no(path, undefined, `the field ${shown(name)} is not known, so it is denied`, guess === undefined ? `the fields known here are those of Kubernetes ${kubernetesVersion}` : `did you mean "${guess}"?`);
}

/** What a pod is judged by as a whole, and what it does not say. */
function podFindings(value: Json | undefined, judging: Judging): PolicyFinding[] {
  if (judging.isOpen(value)) return [];
  if (!isObject(value)) return [no(podPath, undefined, 'the Job has no pod template that could be judged', 'write spec.template.spec')];
  const pod: Part = { path: podPath, value };
  const containers = containersOf(pod);
  return [...silentFindings(pod, judging), ...ceilingFindings(pod, containers, judging), ...restrictedFindings(pod, containers, judging)];
}

/** What Kubernetes assumes where nothing is said. */
function silentFindings({ path, value }: Part, judging: Judging): readonly PolicyFinding[] {
  const { policy, isOpen, ours } = judging;
  const named = ['serviceAccountName', 'serviceAccount'].some((field) => typeof value[field] === 'string' && value[field] !== '');
  const bare = arrayAt(value, 'volumes').flatMap((volume, index) => (isObject(volume) && !ours.has(volume) && isWithoutType(volume) ? [index] : []));
  const automounts = !policy.serviceAccountTokens && value['automountServiceAccountToken'] !== false && !isOpen(value['automountServiceAccountToken']);
  const selected = isObject(value['nodeSelector']) ? value['nodeSelector'] : {};
  const unselected = isOpen(value['nodeSelector']) ? [] : Object.entries(policy.nodeSelector ?? {}).filter(([key, text]) => selected[key] !== text && !isOpen(selected[key]));
  return [
    ...(named ? [] : accountFindings('default', [...path, 'serviceAccountName'], judging)),
    ...bare.flatMap((index) => volumeTypeFindings('emptyDir', [...path, 'volumes', index], policy)),
    ...(automounts ? [no([...path, 'automountServiceAccountToken'], 'serviceAccountTokens', 'the token of the ServiceAccount must not be mounted', 'set automountServiceAccountToken: false')] : []),
    ...unselected.map(([key, text]) => no([...path, 'nodeSelector', key], 'nodeSelector', `the pod must select nodes with the label ${key}=${text}`, `set nodeSelector ${key}: ${text}`)),
  ];
}

/** Nothing but a name: an emptyDir. */
function isWithoutType(volume: JsonObject): boolean {
  return Object.entries(volume).every(([field, value]) => field === 'name' || value === undefined || value === null);
}
