/** Label and field selectors, as lists and watches take them. */
import { badRequest } from './failure.ts';
import type { Json } from '../lib/json.ts';
import { isObject } from '../lib/json.ts';
import type { KubeObject } from './objects.ts';

export type Matcher = (object: KubeObject) => boolean;

const everything: Matcher = () => true;
const requirement = /^\s*(?:!\s*(?<absent>[^\s!=,()]+)|(?<key>[^\s!=,()]+)(?:\s*(?<operator>==|=|!=)\s*(?<value>[^\s,()]*)|\s+(?<set>in|notin)\s*\((?<values>[^)]*)\))?)\s*$/u;

/** `a=b, c!=d, e in (f,g), h, !i`; an empty selector matches everything. */
export function labelMatcher(selector: string | undefined): Matcher {
  if (selector === undefined || selector.trim() === '') return everything;
  return all(splitOutsideParentheses(selector).map(labelRequirement));
}

/** `status.phase!=Running,metadata.name=a`: any path here, where a real API server knows a few per type. */
export function fieldMatcher(selector: string | undefined): Matcher {
  if (selector === undefined || selector.trim() === '') return everything;
  return all(selector.split(',').map(fieldRequirement));
}

export function all(matchers: readonly Matcher[]): Matcher {
  return (object) => matchers.every((matches) => matches(object));
}

function labelRequirement(text: string): Matcher {
  const groups = requirement.exec(text)?.groups;
  if (!groups) throw badRequest(`unable to parse requirement: ${text}`);
  const { absent, key = '', operator, value, set, values = '' } = groups;
  const label = (object: KubeObject): string | undefined => object.metadata.labels?.[key];
  if (absent !== undefined) return (object) => object.metadata.labels?.[absent] === undefined;
  if (set !== undefined) {
    const members = new Set(values.split(',').map((member) => member.trim()));
    return set === 'in' ? (object) => members.has(label(object) ?? '\0') : (object) => !members.has(label(object) ?? '\0');
  }
  if (operator === undefined) return (object) => label(object) !== undefined;
  return operator === '!=' ? (object) => label(object) !== value : (object) => label(object) === value;
}

function fieldRequirement(text: string): Matcher {
  const match = /^\s*(?<path>[\w.]+)\s*(?<operator>!=|==|=)\s*(?<value>.*?)\s*$/u.exec(text);
  const { path, operator, value } = match?.groups ?? {};
  if (path === undefined) throw badRequest(`invalid field selector: ${text}`);
  const steps = path.split('.');
  return (object) => (textAt(object, steps) === value) === (operator !== '!=');
}

function textAt(object: Json, steps: readonly string[]): string {
  let here: Json | undefined = object;
  for (const step of steps) here = isObject(here) ? here[step] : undefined;
  return typeof here === 'string' ? here : '';
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/u);
}
