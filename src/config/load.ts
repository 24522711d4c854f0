/**
 * Reads the operator's configuration: the file, then environment variables, then flags; later ones win. Start-up fails
 * on anything that is not understood, with every problem at once.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isObject, stringAt, type JsonObject } from '../lib/json.ts';
import { pathText } from '../spec/field-path.ts';
import { readDocument, type SpecDocument } from '../spec/document.ts';
import { Report, type Finding } from '../spec/report.ts';
import type { Position, Problem } from '../spec/problem.ts';
import { subdomainPattern } from '../spec/schema-fields.ts';
import { schemaFindings } from '../spec/schema-findings.ts';
import { validator } from '../spec/validate.ts';
import type { Config } from './config.ts';
import { configJsonSchema } from './config-schema.ts';
import { environmentOverrides, flagOverrides, overridden, unknownVariables, type Environment, type Override } from './overrides.ts';
import { configFrom, ruleFindings } from './rules.ts';
import { fileVariable } from './settings.ts';

export interface ConfigSources {
  /** The process's environment; nothing else in job-chief reads it. */
  readonly env: Environment;
  /** From `--config`; wins over JOB_CHIEF_CONFIG. Without both there is no file, and defaults hold. */
  readonly file?: string | undefined;
  /** Command-line flags by the path of what they set, such as `{namespace: 'etl'}`. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** For the log: nothing that keeps job-chief from starting. */
  readonly warnings: readonly string[];
}

/** The configuration cannot be used. The message lists every problem, one on a line. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(`the configuration cannot be used:\n${problems.map((problem) => `  ${lineOf(problem)}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const check = validator(configJsonSchema);
const noText = '{}\n';

/** The configuration from all its sources; throws ConfigError. */
export function loadConfig({ env, file: flagged, flags = {} }: ConfigSources): LoadedConfig {
  const named = flagged ?? env[fileVariable];
  const file = named === undefined || named === '' ? undefined : named;
  const document = readDocument(file === undefined ? noText : textOf(file));
  const overrides = [...environmentOverrides(env), ...flagOverrides(flags)];
  const report = new Report((finding) => positionOf(finding, { document, file, overrides }));
  for (const finding of document.findings) report.add(finding);
  const written = document.value ?? {};
  if (!isObject(written)) report.add({ code: 'NotAMapping', message: 'the configuration must be a mapping of fields', offset: 0 });
  stopOn(report);
  const value = overridden(isObject(written) ? written : {}, overrides);
  for (const finding of schemaFindings(check(value), value)) report.add(finding);
  stopOn(report);
  const inFolder = connectionsIn(value, file, report);
  for (const finding of ruleFindings(value, inFolder)) report.add(finding);
  stopOn(report);
  const warnings = [...report.problems().map(lineOf), ...unknownVariables(env)];
  return { config: configFrom(value, inFolder, file), warnings };
}

function stopOn(report: Report): void {
  if (report.hasErrors()) throw new ConfigError(report.problems());
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([{ code: 'InvalidYaml', severity: 'error', message: `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`, position: { file, line: 1, column: 1 } }]);
  }
}

/** Names of the sub-folders of connectionsFolder. */
function connectionsIn(value: JsonObject, file: string | undefined, report: Report): readonly string[] {
  const named = stringAt(value, 'connectionsFolder');
  if (named === undefined) return [];
  const folder = resolve(file === undefined ? '.' : join(file, '..'), named);
  try {
    const names = readdirSync(folder).filter((name) => !name.startsWith('.') && statSync(join(folder, name)).isDirectory());
    for (const name of names.filter((candidate) => !usableName.test(candidate))) {
      report.add({ code: 'InvalidName', message: `the folder ${name} in ${folder} cannot be the name of a connection`, path: ['connectionsFolder'], hint: 'use lower-case letters, digits and hyphens' });
    }
    return names;
  } catch (error) {
    report.add({ code: 'InvalidValue', message: `the folder cannot be read: ${error instanceof Error ? error.message : String(error)}`, path: ['connectionsFolder'] });
    return [];
  }
}
const usableName = new RegExp(subdomainPattern);

interface Texts {
  readonly document: SpecDocument;
  readonly file: string | undefined;
  readonly overrides: readonly Override[];
}

/** In the file, or the variable or flag that set the value. Line 0 stands for what has no lines. */
function positionOf(finding: Finding, { document, file, overrides }: Texts): Position {
  const path = pathText(finding.path ?? []);
  const override = overrides.findLast(({ setting }) => setting.path === path);
  if (override) return { file: override.from, line: 0, column: 0 };
  return file === undefined ? { file: 'configuration', line: 0, column: 0 } : { file, ...document.place(finding) };
}

function lineOf({ position, path, message, hint }: Problem): string {
  const place = position === undefined ? '' : position.line === 0 ? `${position.file}: ` : `${position.file}:${position.line}:${position.column}: `;
  return `${place}${path === undefined ? '' : `${path}: `}${message}${hint === undefined ? '' : ` (${hint})`}`;
}
