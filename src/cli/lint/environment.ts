/** What `--config` adds to linting: the operator's jobDefaults, connections and policy, from the controller's own configuration. */
import { readFile } from 'node:fs/promises';
import { asError } from '../../lib/clock.ts';
import { arrayAt, isObject, objectAt, stringAt, type Json, type JsonObject } from '../../lib/json.ts';
import { configJsonSchema } from '../../config/config-schema.ts';
import { readDocument } from '../../spec/document.ts';
import { podPolicyFrom } from '../../spec/pod-policy/policy.ts';
import { podPolicySchema } from '../../spec/pod-policy/policy-schema.ts';
import type { SpecEnvironment } from '../../spec/parsed.ts';
import type { Problem } from '../../spec/problem.ts';
import { Report } from '../../spec/report.ts';
import { schemaFindings } from '../../spec/schema-findings.ts';
import { validator } from '../../spec/validate.ts';
import { UserError } from '../exit-code.ts';

const configErrors = validator(configJsonSchema);
const policyErrors = validator(podPolicySchema as unknown as JsonObject);

/**
 * Reads the configuration file, and the policy where it stands in a file of its own. Without them nothing that depends on
 * them is checked, but what no policy could allow is denied all the same. Unlike the controller it asks for no folder or
 * Secret of a connection: those exist only where the controller runs.
 */
export async function readEnvironment(file: string | undefined, policyFile?: string): Promise<SpecEnvironment> {
  const written = policyFile === undefined ? undefined : await read(policyFile, { what: 'policy', errorsOf: policyErrors });
  const config = file === undefined ? undefined : await read(file, { what: 'configuration', errorsOf: configErrors });
  const policy = written ?? (config ? objectAt(config, 'podPolicy') : undefined);
  return {
    ...(config ? knownFrom(config) : {}),
    policy: podPolicyFrom(policy, { connectionSecrets: secretsOf(objectAt(config, 'connections')), ownServiceAccount: undefined }),
  };
}

function secretsOf(connections: JsonObject): string[] {
  return Object.values(connections).flatMap((connection) => stringAt(connection, 'secretName') ?? []);
}

function knownFrom(config: JsonObject): SpecEnvironment {
  const jobDefaults = config['jobDefaults'];
  // With connectionsFolder more connections may exist than the file names: then names are not checked.
  const known = stringAt(config, 'connectionsFolder') === undefined && isObject(config['connections']);
  return {
    ...(isObject(jobDefaults) ? { jobDefaults } : {}),
    urlPrefixes: arrayAt(objectAt(config, 'beforeDelete'), 'urlPrefixes').filter((prefix) => typeof prefix === 'string'),
    ...(known ? { connections: readConnections(objectAt(config, 'connections')) } : {}),
  };
}

interface Kind {
  readonly what: string;
  readonly errorsOf: typeof configErrors;
}

async function read(file: string, kind: Kind): Promise<JsonObject> {
  return checked(await textOf(file, kind), file, kind);
}

async function textOf(file: string, { what }: Kind): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read the ${what} ${file}: ${asError(error).message}`);
  }
}

function checked(text: string, file: string, { what, errorsOf }: Kind): JsonObject {
  const document = readDocument(text);
  const report = new Report((finding) => ({ file, ...document.place(finding) }));
  const value: Json = document.value ?? {};
  for (const finding of document.findings) report.add(finding);
  if (!report.hasErrors()) for (const finding of schemaFindings(errorsOf(value), value)) report.add(finding);
  const errors = report.problems().filter(({ severity }) => severity === 'error');
  if (errors.length === 0 && isObject(value)) return value;
  throw new UserError(`the ${what} cannot be used:\n${errors.map(line).join('\n')}`);
}

function line({ position, path, message, hint }: Problem): string {
  const place = position ? `${position.file}:${position.line}:${position.column}: ` : '';
  return `  ${place}${path === undefined ? '' : `${path}: `}${message}${hint === undefined ? '' : ` (${hint})`}`;
}

function readConnections(connections: JsonObject): Map<string, { type: string; injectable: boolean }> {
  return new Map(
    Object.keys(connections).map((name) => {
      const settings = objectAt(connections, name);
      return [name, { type: stringAt(settings, 'type') ?? 'pgBoss', injectable: settings['injectable'] === true }];
    }),
  );
}
