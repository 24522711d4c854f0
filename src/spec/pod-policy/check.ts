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
import type { Constraint, FieldRule, FieldTable } from './fields.ts';
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
  const judging: Judging = { policy, ours: new Set(ours), isOpen: open ? isOpenText : neverOpen };
  const findings: PolicyFinding[] = [];
  visit(job, fieldTable['Job'] ?? {}, undefined, { ...judging, findings });
  return [...findings, ...podFindings(valueAt(job, podPath), judging)];
}

const neverOpen = (): boolean => false;
const isOpenText = (value: Json | undefined): boolean => typeof value === 'string' && referencesIn(value).length > 0;

/** Where a value stands. Every create is judged, and hardly any has findings: paths are made only for those. */
type Place = { readonly above: Place; readonly name: string | number } | undefined;

interface Visit extends Judging {
  readonly findings: PolicyFinding[];
}

/** The fields of a mapping, and what is inside them. */
function visit(value: Json, table: FieldTable[string], place: Place, judging: Visit): void {
  if (judging.isOpen(value)) return;
  if (!isObject(value)) {
    judging.findings.push(no(pathOf(place), undefined, `a mapping should stand here, not ${shown(value)}`, 'write it as Kubernetes does'));
    return;
  }
  for (const name of Object.keys(value)) {
    const entry = value[name];
    if (entry === undefined || entry === null) continue;
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    if (rule) judge(entry, rule, { above: place, name }, judging);
    else judging.findings.push(unknownField(name, Object.keys(table), pathOf({ above: place, name })));
  }
}

function judge(value: Json, rule: FieldRule, place: Place, judging: Visit): void {
  if (rule.kind === 'denied') {
    if (!isNothing(value)) judging.findings.push(no(pathOf(place), undefined, `"${String(place?.name)}" must not be set: ${rule.why ?? ''}`, 'remove it: no policy can allow it'));
  } else if (rule.inside === undefined) {
    if (rule.by && !judging.isOpen(value)) constrain(value, rule.by, place, judging);
  } else if (Array.isArray(value)) {
    value.forEach((entry, index) => { judgeInside(entry, rule, { above: place, name: index }, judging); });
  } else {
    judgeInside(value, rule, place, judging);
  }
}

function judgeInside(value: Json, { by, inside = '' }: FieldRule, place: Place, judging: Visit): void {
  if (judging.ours.has(value)) return;
  if (by) constrain(value, by, place, judging);
  visit(value, fieldTable[inside] ?? {}, place, judging);
}

function constrain(value: Json, by: readonly Constraint[], place: Place, judging: Visit): void {
  const path = pathOf(place);
  for (const constraint of by) judging.findings.push(...rules[constraint](value, path, judging));
}

function pathOf(place: Place): FieldPath {
  const path: (string | number)[] = [];
  for (let at = place; at !== undefined; at = at.above) path.push(at.name);
  return path.reverse();
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
