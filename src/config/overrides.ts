/** Environment variables and command-line flags, which win over the file. */
import { resolve } from 'node:path';
import { isObject, objectAt, type Json, type JsonObject } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { fileVariable, settings, variablePrefix, type Setting } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One value from outside the file. */
export interface Override {
  readonly setting: Setting;
  /** The variable or flag it came from. */
  readonly from: string;
  readonly text: string;
}

/** What the environment sets. Empty variables count as not set. */
export function environmentOverrides(env: Environment): Override[] {
  return settings.flatMap((setting) => {
    const text = setting.variable === undefined ? undefined : env[setting.variable];
    return setting.variable === undefined || text === undefined || text === '' ? [] : [{ setting, from: setting.variable, text }];
  });
}

/** What command-line flags set, by path such as `namespace`. */
export function flagOverrides(flags: Readonly<Record<string, string | undefined>>): Override[] {
  return Object.entries(flags).flatMap(([path, text]) => {
    const setting = settings.find((candidate) => candidate.path === path);
    return setting === undefined || text === undefined ? [] : [{ setting, from: `--${path}`, text }];
  });
}

/** The file's value with the overrides in it. */
export function overridden(value: JsonObject, overrides: readonly Override[]): JsonObject {
  return overrides.reduce((root, { setting, text }) => set(root, setting.path.split('.'), parsed(setting, text)), value);
}

function set(root: JsonObject, [name = '', ...rest]: readonly string[], value: Json): JsonObject {
  // A mapping that is none is reported as it stands.
  if (rest.length > 0 && root[name] !== undefined && !isObject(root[name])) return root;
  return { ...root, [name]: rest.length === 0 ? value : set(objectAt(root, name), rest, value) };
}

/** Relative paths in the file count from the file; those from outside it, as everywhere, from the working directory. */
const paths: ReadonlySet<string> = new Set(['kubeconfig', 'specs.folder', 'connectionsFolder', 'beforeDelete.headersFolder', 'httpApi.tokens', 'httpApi.tls.cert', 'httpApi.tls.key', 'httpApi.tls.clientCa']);

/** Text that does not fit stays text, for the validator to complain about. */
function parsed({ type, path }: Setting, text: string): Json {
  if (paths.has(path)) return resolve(text);
  if (type === 'number' && /^\d+$/.test(text)) return Number(text);
  if (type === 'switch' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return text;
}

/**
 * Variables with our prefix that mean nothing. A Service named job-chief makes the kubelet set some of that sort in
 * every pod, so they are worth a warning at most.
 */
export function unknownVariables(env: Environment): string[] {
  const known = [fileVariable, ...settings.flatMap(({ variable }) => variable ?? [])];
  return Object.keys(env)
    .filter((name) => name.startsWith(variablePrefix) && !known.includes(name) && !/_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)/.test(name))
    .sort()
    .map((name) => {
      const guess = nearest(name, known);
      return `the environment variable ${name} is not used${guess === undefined ? '' : `; did you mean ${guess}?`}`;
    });
}
