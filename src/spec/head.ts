/** What a spec says it is: apiVersion, kind, name, and the label of its ConfigMap. */
import { isObject, type Json, type JsonObject } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { anyOf, shown } from '../lib/show.ts';
import { apiVersion, kindLabel } from './keys.ts';
import type { SpecInput } from './parsed.ts';
import type { Finding } from './report.ts';
import { subdomainMessage, subdomainPattern } from './schema-fields.ts';

/** All kinds that there are. */
export const supportedKinds = ['Queue', 'Workflow', 'Template', 'Run', 'Limits'] as const;
export type SupportedKind = (typeof supportedKinds)[number];
/** The same as plain texts. */
export const allKinds: readonly string[] = supportedKinds;

/** Kind from the text, else from the label; undefined where neither names one of this version. */
export function kindOf(text: string | undefined, label: string | undefined): SupportedKind | undefined {
  return supportedKinds.find((kind) => (text === undefined ? kind.toLowerCase() === label : kind === text));
}

const validName = new RegExp(subdomainPattern);

/** The text's name where it is a good one, else the object's: problems must be reported under some name. */
export function logicalName(text: string | undefined, objectName: string): string {
  return text !== undefined && text.length <= 253 && validName.test(text) ? text : objectName;
}

/** Everything wrong with the head. */
export function headFindings(value: Json, input: SpecInput): Finding[] {
  if (!isObject(value)) {
    if (value === null) return [{ code: 'EmptySpec', message: 'the spec is empty', path: [], hint: `begin with apiVersion: ${apiVersion} and kind: ${supportedKinds.join(' or ')}` }];
    return [{ code: 'NotAMapping', message: `a spec must be a mapping of fields, is ${Array.isArray(value) ? 'a list' : shown(value)}`, path: [], hint: `begin with apiVersion: ${apiVersion} and kind: ${supportedKinds.join(' or ')}` }];
  }
  return [...apiVersionFindings(value), ...kindFindings(value), ...labelFindings(value, input), ...nameFindings(value, input)];
}

function apiVersionFindings(value: JsonObject): Finding[] {
  const given = value['apiVersion'];
  if (given === apiVersion) return [];
  if (given === undefined) return [{ code: 'MissingField', message: 'the field "apiVersion" is required', path: ['apiVersion'], hint: `add apiVersion: ${apiVersion}` }];
  return [{ code: 'UnsupportedApiVersion', message: `apiVersion must be "${apiVersion}", is ${shown(given)}`, path: ['apiVersion'], hint: 'this version of job-chief reads no other' }];
}

function kindFindings(value: JsonObject): Finding[] {
  const given = value['kind'];
  const path = ['kind'];
  if (given === undefined) return [{ code: 'MissingField', message: 'the field "kind" is required', path, hint: `the kinds are ${anyOf(supportedKinds)}` }];
  if (supportedKinds.some((kind) => kind === given)) return [];
  const guess = typeof given === 'string' ? nearest(given, allKinds) : undefined;
  return [{ code: 'UnknownKind', message: `unknown kind ${shown(given)}`, path, hint: guess === undefined ? `the kinds are ${anyOf(supportedKinds)}` : `did you mean "${guess}"?` }];
}

function labelFindings(value: JsonObject, { label }: SpecInput): Finding[] {
  const kind = value['kind'];
  if (label === undefined || typeof kind !== 'string' || !allKinds.includes(kind) || kind.toLowerCase() === label) return [];
  return [
    {
      code: 'LabelMismatch',
      message: `the ConfigMap's label ${kindLabel} is ${shown(label)}, but the spec's kind is "${kind}"`,
      path: ['kind'],
      hint: `set the label ${kindLabel}: ${kind.toLowerCase()}`,
    },
  ];
}

function nameFindings(value: JsonObject, { objectName }: SpecInput): Finding[] {
  const given = value['name'];
  if (given !== undefined && typeof given !== 'string') {
    return [{ code: 'InvalidName', message: `name must be text, is ${shown(given)}`, path: ['name'], hint: 'put it in quotes, or remove it' }];
  }
  const name = given ?? objectName;
  if (name.length <= 253 && validName.test(name)) return [];
  if (given !== undefined) return [{ code: 'InvalidName', message: `name ${subdomainMessage}, is ${shown(given)}`, path: ['name'] }];
  return [{ code: 'InvalidName', message: `the name ${shown(objectName)} ${subdomainMessage}`, path: [], hint: 'give the spec a name of its own: name: …' }];
}
