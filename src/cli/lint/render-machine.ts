/** Problems for programs: JSON, SARIF 2.1.0 and GitHub's workflow commands. */
import { problemCodes } from '../../spec/problem-codes.ts';
import type { Spec } from '../../spec/parsed.ts';
import type { Problem } from '../../spec/problem.ts';
import { jobsOf } from './job-manifest.ts';
import type { LintResult } from './result.ts';

/** The result as one object; with `jobs` each valid spec shows its Jobs. */
export function renderJson({ specs, problems }: LintResult, jobs: boolean): string {
  const listed = specs.map(({ file, kind, name, spec }) => ({ file, kind, name, hash: spec?.hash, valid: spec !== undefined, ...(jobs && spec ? jobFields(spec) : {}) }));
  return JSON.stringify({ specs: listed, problems }, null, 2);
}

/** A Queue has one Job, other kinds any number. */
function jobFields(spec: Spec): object {
  const jobs = jobsOf(spec);
  return spec.kind === 'Queue' ? { job: jobs[0]?.job } : { jobs };
}

/** For code scanning and the editors that read it. */
export function renderSarif(problems: readonly Problem[], version: string): string {
  const rules = Object.entries(problemCodes).map(([id, level]) => ({ id, defaultConfiguration: { level } }));
  const run = {
    tool: { driver: { name: 'job-chief', version, rules } },
    results: problems.map((problem) => ({
      ruleId: problem.code,
      level: problem.severity,
      message: { text: sentence(problem) },
      ...(problem.position ? { locations: [location(problem.position)] } : {}),
    })),
  };
  return JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, null, 2);
}

function location({ file, line, column }: NonNullable<Problem['position']>): object {
  const uri = file === '-' ? 'stdin' : encodeURI(file.replaceAll('\\', '/'));
  return { physicalLocation: { artifactLocation: { uri }, region: { startLine: line, startColumn: column } } };
}

/** Annotations on the lines of a pull request. */
export function renderGithub(problems: readonly Problem[]): string {
  return problems.map(command).join('\n');
}

function command(problem: Problem): string {
  const { position, severity, code } = problem;
  const place = position ? [...(position.file === '-' ? [] : [`file=${property(position.file)}`]), `line=${position.line}`, `col=${position.column}`] : [];
  return `::${severity} ${[...place, `title=${property(code)}`].join(',')}::${data(sentence(problem))}`;
}

function sentence({ path, message, hint }: Problem): string {
  return `${path === undefined ? '' : `${path}: `}${message}${hint === undefined ? '' : `\n${hint}`}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
