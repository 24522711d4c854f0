/** What can be said about a ConfigMap's data before anything is parsed. */
import { objectAt, type JsonObject } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { shown } from '../lib/show.ts';
import { fluxSubstituteKey, specKey, specSizeLimit, specSizeWarning } from './keys.ts';
import type { SpecInput } from './parsed.ts';
import type { Finding } from './report.ts';

/** Whether an object with this metadata opts out of Flux's substitution. */
export function substitutionDisabled(metadata: JsonObject): boolean {
  return ['annotations', 'labels'].some((field) => objectAt(metadata, field)[fluxSubstituteKey] === 'disabled');
}

/** Nothing there, or too much. */
export function sizeFindings({ data }: SpecInput): Finding[] {
  const text = data[specKey];
  if (text === undefined) {
    const keys = Object.keys(data);
    const guess = nearest(specKey, keys) ?? (keys.length === 1 ? keys[0] : undefined);
    const hint = guess === undefined ? `put the spec under the data key ${specKey}` : `rename the data key "${guess}" to ${specKey}`;
    return [{ code: 'EmptySpec', message: `the ConfigMap has no data key "${specKey}"`, hint }];
  }
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > specSizeLimit) {
    return [{ code: 'SpecTooLarge', message: `the spec has ${bytes} bytes, more than the ${specSizeLimit} allowed`, hint: 'move data and scripts into ConfigMaps of their own and mount them', offset: 0 }];
  }
  if (bytes > specSizeWarning) {
    return [{ code: 'SpecLarge', message: `the spec has ${bytes} bytes; above about 262144 kubectl apply cannot store its last-applied annotation`, hint: 'move data and scripts into ConfigMaps of their own and mount them', offset: 0 }];
  }
  return [];
}

/** Data keys that the spec does not name. Beside a spec file anything may lie. */
export function unusedFindings({ data, label }: SpecInput, used: readonly string[]): Finding[] {
  if (label === undefined) return [];
  const known = new Set([specKey, ...used]);
  return Object.keys(data)
    .filter((key) => !known.has(key))
    .map((key) => ({ code: 'UnusedFile', message: `nothing in the spec uses the data key ${shown(key)}`, path: ['data', key], hint: 'a ConfigMap holds one spec; give a second one a ConfigMap of its own' }));
}
