/** Definitions of k8s-jobs: a Template for each, its variables as parameters. */
import path from 'node:path';
import type { Json } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import { typeAt } from '../../spec/destination.ts';
import { textsUnder, valueAt } from '../../spec/field-path.ts';
import { referencesIn } from '../../spec/references.ts';
import { Draft } from './draft.ts';
import type { Converted, ConvertContext } from './format.ts';
import { Item, problemOf } from './item.ts';
import { withReferences } from './jinja.ts';
import { writeJob } from './kubernetes-job.ts';
import { readText, type SourceText } from './source-document.ts';

/** Data keys under which a ConfigMap has definitions. */
export const definitionKeys = ['job_definitions', 'job-definitions'] as const;
const known = ['name', 'spec', 'spec_path', 'spec_config_map_name', 'spec_config_map_namespace'];

/** A definition, and where the texts of an older ConfigMap stand that has them beside the list. */
interface Definition {
  readonly entry: Item;
  readonly beside: Item | undefined;
}

/** One Template for each definition. */
export async function convertK8sJobs(documents: readonly Item[], context: ConvertContext): Promise<Converted> {
  const drafts: Draft[] = [];
  const problems: Converted['problems'][number][] = [];
  for (const document of documents) {
    const { definitions, problems: wrong } = definitionsIn(document);
    problems.push(...wrong);
    for (const definition of definitions) drafts.push(await template(definition, context));
  }
  return { drafts, problems };
}

function definitionsIn(document: Item): { readonly definitions: readonly Definition[]; readonly problems: Converted['problems'] } {
  if (document.at('kind').text !== 'ConfigMap') return { definitions: document.members().map((entry) => ({ entry, beside: undefined })), problems: [] };
  const beside = document.at('data');
  const list = definitionKeys.map((key) => beside.at(key)).find(({ exists }) => exists);
  if (list?.text === undefined) return { definitions: [], problems: [problemOf(beside, 'MissingField', `there is no data key ${definitionKeys.join(' or ')}`)] };
  const { documents, problems } = readText(textIn(list));
  return { definitions: documents.flatMap((inner) => Item.of(inner).members()).map((entry) => ({ entry, beside })), problems };
}

/** The text of a field as a text of its own. */
function textIn(item: Item): SourceText {
  return { file: item.document.file, text: item.text ?? '', place: item.document.inside(item.path) };
}

async function template({ entry, beside }: Definition, context: ConvertContext): Promise<Draft> {
  const draft = new Draft({ kind: 'Template', name: entry.at('name').text ?? 'template', source: entry });
  const name = draft.requiredText(entry.at('name'));
  for (const [field, item] of entry.fields().filter(([one]) => !known.includes(one))) draft.complain(item, 'UnknownField', `unknown field "${field}"`, { part: 'key', hint: `k8s-jobs knows ${known.join(', ')}` });
  const text = await sourceOf(draft, beside?.at(name ?? ''), context);
  if (text) writeTemplate(draft, text);
  return draft;
}

/** The first of the sources that an entry has. */
async function sourceOf(draft: Draft, beside: Item | undefined, context: ConvertContext): Promise<SourceText | undefined> {
  const entry = draft.source;
  const [spec, file, map] = [entry.at('spec'), entry.at('spec_path'), entry.at('spec_config_map_name')];
  if (spec.exists) return draft.text(spec) === undefined ? undefined : textIn(spec);
  if (file.exists) return fileNamed(draft, file, context);
  if (map.exists) return textOfConfigMap(draft, map, context);
  if (beside?.text !== undefined) return textIn(beside);
  draft.complain(entry, 'MissingField', 'the definition has none of spec, spec_path and spec_config_map_name');
  return undefined;
}

/** Its path is one of the container that the service ran in; here the file may lie beside the definitions. */
async function fileNamed(draft: Draft, item: Item, { files }: ConvertContext): Promise<SourceText | undefined> {
  const name = draft.text(item) ?? '';
  const from = item.document.file;
  const found = (await files.read(name, from)) ?? (await files.read(path.basename(name), from));
  if (!found) draft.complain(item, 'UnknownFile', `there is no file ${shown(name)}, and no ${path.basename(name)} beside the definitions`, { hint: 'put the file beside the definitions' });
  return found && { file: found.file, text: found.text };
}

/** The data key has the name of the object. */
function textOfConfigMap(draft: Draft, item: Item, { all }: ConvertContext): SourceText | undefined {
  const name = draft.text(item) ?? '';
  const found = all.find((object) => object.at('kind').text === 'ConfigMap' && object.at('metadata', 'name').text === name)?.at('data', name);
  if (found?.text !== undefined) return textIn(found);
  draft.complain(item, 'UnknownFile', `the ConfigMap ${shown(name)} with a data key of that name is not among what was given`, { hint: `give it too: kubectl get configmap ${name} -o yaml > ${name}.yaml, and convert the folder of both` });
  return undefined;
}

function writeTemplate(draft: Draft, source: SourceText): void {
  const { text, variables, problems, offset } = withReferences(source.text);
  const read = readText({ ...source, text, original: { text: source.text, offset } });
  draft.problems.push(...jinjaProblems(source, problems), ...(problems.length > 0 ? [] : read.problems));
  const [document, second] = read.documents;
  if (problems.length > 0 || !document) return;
  const job = Item.of(document);
  if (second) draft.complain(Item.of(second), 'MultipleDocuments', 'there is more than one document in the definition');
  if (job.at('kind').text !== 'Job') draft.complain(job.at('kind'), 'NotAJob', `this is no manifest of a batch/v1 Job: its kind is ${shown(job.at('kind').value)}`);
  if (variables.length > 0) draft.set(['parameters'], {});
  writeJob({ draft, at: [], inQueue: false, escaped: true }, job.at('metadata'), job.at('spec'));
  for (const name of variables) writeParameter(draft, name);
  tellUnnamed(draft, job);
}

/** Variables have no type; what the fields take that they fill tells of one. */
function writeParameter(draft: Draft, name: string): void {
  const uses = textsUnder(draft.spec, ['jobTemplate']).flatMap(({ path: field, text }) => referencesIn(text).filter(({ path: [first] }) => first === name).map(({ whole }) => ({ field, whole })));
  const types = new Set(uses.map(({ field, whole }) => (whole ? typeAt(field.slice(1)) : 'string')));
  const [type] = types;
  draft.set(['parameters', name, 'type'], types.size === 1 && (type === 'integer' || type === 'boolean') ? type : 'string');
  if (uses.length > 0) return;
  draft.set(['parameters', name, 'optional'], true);
  draft.remark(['parameters', name], 'Only names had this variable, and job-chief names its Jobs: it is declared so that requests may go on giving it.');
}

/** The names of the Job and of fields: neither takes references. */
function tellUnnamed(draft: Draft, job: Item): void {
  const name = job.at('metadata', 'name').text ?? '';
  if (referencesIn(name).length > 0) draft.remark(['jobTemplate'], `The Job's name was ${name.replaceAll(/\$\(params\.(\w+)\)/g, '{{ $1 }}')}: job-chief names its Jobs.`);
  const visit = (value: Json | undefined, at: readonly (string | number)[]): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, entry] of Object.entries(value)) {
      if (referencesIn(key).length > 0) draft.complain(new Item(job.document, [...job.path, ...at, key], valueAt(job.value, at)), 'UnknownReference', 'a variable cannot be the name of a field', { part: 'key' });
      visit(entry, [...at, Array.isArray(value) ? Number(key) : key]);
    }
  };
  visit(job.value, []);
}

function jinjaProblems(source: SourceText, found: ReturnType<typeof withReferences>['problems']): Converted['problems'] {
  return found.map(({ offset, message, hint }) => {
    const before = source.text.slice(0, offset).split('\n');
    const problem = { code: 'InvalidExpression', severity: 'error' as const, message, hint, position: { file: source.file, line: before.length, column: (before.at(-1) ?? '').length + 1 } };
    return source.place ? source.place(problem) : problem;
  });
}
