/** What `--config` adds to linting: the operator's jobDefaults and connections, from the controller's own configuration. */
import { readFile } from 'node:fs/promises';
import { asError } from '../../lib/clock.ts';
import { isObject, objectAt, stringAt, type Json, type JsonObject } from '../../lib/json.ts';
import { configJsonSchema } from '../../config/config-schema.ts';
import { readDocument } from '../../spec/document.ts';
import type { SpecEnvironment } from '../../spec/parsed.ts';
import type { Problem } from '../../spec/problem.ts';
import { Report } from '../../spec/report.ts';
import { schemaFindings } from '../../spec/schema-findings.ts';
import { validator } from '../../spec/validate.ts';
import { UserError } from '../exit-code.ts';

const configErrors = validator(configJsonSchema);

/**
 * Reads the configuration file; without one nothing is known, and nothing that depends on it is checked. Unlike the
 * controller it asks for no folder or Secret of a connection: those exist only where the controller runs.
 */
export async function readEnvironment(file: string | undefined): Promise<SpecEnvironment> {
  if (file === undefined) return {};
  const config = checked(await textOf(file), file);
  const jobDefaults = config['jobDefaults'];
  // With connectionsFolder more connections may exist than the file names: then names are not checked.
  const known = stringAt(config, 'connectionsFolder') === undefined && isObject(config['connections']);
  return {
    ...(isObject(jobDefaults) ? { jobDefaults } : {}),
    ...(known ? { connections: readConnections(objectAt(config, 'connections')) } : {}),
  };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read the configuration ${file}: ${asError(error).message}`);
  }
}

function checked(text: string, file: string): JsonObject {
  const document = readDocument(text);
  const report = new Report((finding) => ({ file, ...document.place(finding) }));
  const value: Json = document.value ?? {};
  for (const finding of document.findings) report.add(finding);
  if (!report.hasErrors()) for (const finding of schemaFindings(configErrors(value), value)) report.add(finding);
  const errors = report.problems().filter(({ severity }) => severity === 'error');
  if (errors.length === 0 && isObject(value)) return value;
  throw new UserError(`the configuration cannot be used:\n${errors.map(line).join('\n')}`);
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
