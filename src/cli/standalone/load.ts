/** From a file or a folder to the workflow that is to run. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { asError } from '../../lib/clock.ts';
import { digest } from '../../lib/digest.ts';
import { readDocuments, type FoundDocument } from '../../adapters/files/read-documents.ts';
import { specKey } from '../../spec/keys.ts';
import { parseSpec } from '../../spec/parse.ts';
import type { ParsedSpec } from '../../spec/parsed.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import { UserError } from '../exit-code.ts';
import { renderText } from '../lint/render-text.ts';
import { mentionedFiles } from './mentioned-files.ts';

export interface LoadedWorkflow {
  /** Names of mounted files are data keys in it. */
  readonly spec: WorkflowSpec;
  /** The text that it was read from. */
  readonly text: string;
  /** Files that steps mount, by data key. */
  readonly mounted: Readonly<Record<string, string>>;
  /** Problems that do not keep it from running, for people. */
  readonly warnings: string;
}

/** Throws a UserError that says all that is wrong with it. */
export async function loadWorkflow(file: string): Promise<LoadedWorkflow> {
  const specFile = await specFileOf(file);
  const found = readDocuments(specFile, await textOf(specFile), null);
  const [document] = found;
  if (!document) throw new UserError(`${specFile} holds no workflow: it has no document with kind: Workflow, and no ConfigMap with the label job-chief: workflow`);
  if (found.length > 1) throw new UserError(`${specFile} holds ${found.length} specs: name a file with the one that is to run`);
  return workflowIn(specFile, document);
}

async function specFileOf(file: string): Promise<string> {
  const info = await stat(file).catch((error: unknown) => {
    throw new UserError(`cannot read ${file}: ${asError(error).message}`);
  });
  return info.isDirectory() ? path.join(file, specKey) : file;
}

function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`cannot read ${file}: ${asError(error).message}`);
  });
}

async function workflowIn(specFile: string, document: FoundDocument): Promise<LoadedWorkflow> {
  const text = document.data[specKey] ?? '';
  const isBare = document.label === undefined;
  const beside = isBare ? await mentionedFiles(path.dirname(specFile), text) : { data: document.data, problems: [] };
  const file = isBare ? specFile : `${specFile} (${specKey})`;
  // A spec.yaml says nothing about what it is called; its folder does.
  const objectName = isBare && path.basename(specFile) === specKey ? path.basename(path.resolve(path.dirname(specFile))) : document.objectName;
  const data = { ...beside.data, [specKey]: text };
  const parsed = parseSpec({ ...document, file, objectName, data, paths: isBare }, {});
  const problems = renderText(parsed.problems, new Map([[file, text]]), { excerpts: false, colours: false });
  if (beside.problems.length > 0) throw new UserError(beside.problems.join('\n       '));
  const spec = runnable(parsed, problems);
  return { spec: withDataKeys(spec), text, mounted: mountedFiles(spec, data), warnings: problems };
}

/** What no standalone run can do is said before anything is started. */
function runnable({ kind, name, spec }: ParsedSpec, problems: string): WorkflowSpec {
  if (kind !== undefined && kind !== 'Workflow') throw new UserError(`"${name}" is a ${kind}, and only a Workflow can be run`);
  if (spec?.kind !== 'Workflow') throw new UserError(`the workflow has errors\n${problems}`);
  if (spec.observe) throw new UserError(`observe is true in "${name}": it creates nothing; remove that to run it`);
  if (spec.suspend) throw new UserError(`suspend is true in "${name}": it starts nothing; remove that to run it`);
  const subRun = allSteps(spec).find(({ work }) => work.kind === 'subRun');
  if (subRun) throw new UserError(`step "${subRun.name}" is a run of another workflow, which only a controller can start: write its steps into this one, or use job-chief run without --standalone`);
  return spec;
}

export function allSteps({ steps, finally: after }: WorkflowSpec): readonly StepSpec[] {
  return [...steps, ...after];
}

/** Of the ConfigMap that pods mount: keys hold no slash. */
function dataKey(name: string): string {
  const plain = name.replaceAll(/[^-._a-zA-Z0-9]/g, '_');
  return plain === name ? name : `${digest(name, 8)}-${plain}`.slice(0, 253);
}

function withDataKeys(spec: WorkflowSpec): WorkflowSpec {
  const renamed = (step: StepSpec): StepSpec => ({ ...step, files: Object.fromEntries(Object.entries(step.files).map(([target, name]) => [target, dataKey(name)])) });
  return { ...spec, steps: spec.steps.map(renamed), finally: spec.finally.map(renamed) };
}

function mountedFiles(spec: WorkflowSpec, data: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const names = allSteps(spec).flatMap(({ files }) => Object.values(files));
  return Object.fromEntries(names.map((name) => [dataKey(name), data[name] ?? '']));
}
