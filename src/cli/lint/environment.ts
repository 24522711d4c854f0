/** What `--config` adds to linting: the operator's jobDefaults and connections, from the controller's own configuration. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { asError } from '../../lib/clock.ts';
import { isObject, objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import { jobDefaultsDefinitions, jobDefaultsSchema } from '../../spec/job-defaults.ts';
import type { SpecEnvironment } from '../../spec/parsed.ts';
import { schemaFindings } from '../../spec/schema-findings.ts';
import { pathText } from '../../spec/field-path.ts';
import { validator } from '../../spec/validate.ts';
import { UserError } from '../exit-code.ts';

const jobDefaultsErrors = validator({ ...(jobDefaultsSchema as unknown as JsonObject), $defs: { ...jobDefaultsDefinitions } });

/** Reads the configuration file; without one nothing is known, and nothing that depends on it is checked. */
export async function readEnvironment(file: string | undefined): Promise<SpecEnvironment> {
  if (file === undefined) return {};
  const config = await readConfig(file);
  const jobDefaults = config['jobDefaults'];
  const connections = config['connections'];
  const problems = jobDefaults === undefined ? [] : schemaFindings(jobDefaultsErrors(jobDefaults), jobDefaults);
  const [first] = problems;
  if (first) throw new UserError(`${file}: ${pathText(['jobDefaults', ...(first.path ?? [])])}: ${first.message}${first.hint === undefined ? '' : ` (${first.hint})`}`);
  return {
    ...(isObject(jobDefaults) ? { jobDefaults } : {}),
    ...(isObject(connections) ? { connections: readConnections(connections) } : {}),
  };
}

async function readConfig(file: string): Promise<JsonObject> {
  try {
    const config: unknown = parse(await readFile(file, 'utf8'), { merge: true }) ?? {};
    if (isObject(config)) return config;
  } catch (error) {
    throw new UserError(`cannot read the configuration ${file}: ${asError(error).message}`);
  }
  throw new UserError(`the configuration ${file} must be a mapping of settings`);
}

function readConnections(connections: JsonObject): Map<string, { type: string; injectable: boolean }> {
  return new Map(
    Object.keys(connections).map((name) => {
      const settings = objectAt(connections, name);
      return [name, { type: stringAt(settings, 'type') ?? 'pgBoss', injectable: settings['injectable'] === true }];
    }),
  );
}
