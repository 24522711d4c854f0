/** A model of jobernetes and its manifests: a Workflow with the manifests as data keys. */
import path from 'node:path';
import { parseDocument } from 'yaml';
import { isObject, type Json } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import type { FieldPath } from '../../spec/field-path.ts';
import { refusedStepFields } from '../../spec/job-refusals.ts';
import { namePattern } from '../../spec/parameter-schema.ts';
import { matching } from '../../spec/workflow-files.ts';
import { Draft } from './draft.ts';
import type { Converted, ConvertContext, NamedFile, SourceFiles } from './format.ts';
import { Item } from './item.ts';
import { seconds } from './kubernetes-job.ts';
import { readText } from './source-document.ts';

/** Settings without an equal, and why there is none. */
const settings: ReadonlyMap<string, string> = new Map(Object.entries({
  refresh_time: 'the cluster tells of changes, nothing is asked for again and again',
  ssl_insecure_warnings: "the kubeconfig, or the pod's ServiceAccount, says which certificates hold",
  incluster: 'job-chief run --standalone uses the kubeconfig, or inside a pod its ServiceAccount',
  jobname: 'jobernetes never read it either',
}));

/** One Workflow for each model. */
export async function convertJobernetes(models: readonly Item[], { name, files }: ConvertContext): Promise<Converted> {
  const drafts: Draft[] = [];
  for (const model of models) drafts.push(await new Model(model, name, files).convert());
  return { drafts, problems: [] };
}

/** A model that is being converted. */
class Model {
  readonly #draft: Draft;
  readonly #source: Item;
  readonly #files: SourceFiles;
  /** Names of steps by what the model calls them. */
  readonly #names = new Map<string, string>();
  /** Data keys that steps have taken by a pattern. */
  readonly #patterns: string[] = [];

  constructor(source: Item, name: string, files: SourceFiles) {
    this.#draft = new Draft({ kind: 'Workflow', name, source });
    this.#source = source;
    this.#files = files;
  }

  async convert(): Promise<Draft> {
    const draft = this.#draft;
    draft.set(['trigger', 'onRequest'], true);
    draft.remark(['trigger'], `In place of starting jobernetes: job-chief run ${draft.name}; without a controller: job-chief run FOLDER --standalone.`);
    this.#settings(this.#source.at('jobernetes_config'));
    const phases = this.#source.at('jobernetes').members();
    if (phases.length === 0) draft.complain(this.#source.at('jobernetes'), 'MissingField', 'the model has no phases');
    for (const [index, phase] of phases.entries()) {
      draft.set(['phases', index, 'name'], this.#nameOf(phase.at('phase_name')), phase.at('phase_name'));
      const jobs = phase.at('jobs').members();
      if (jobs.length === 0) draft.complain(phase, 'MissingField', 'the phase has no jobs', { hint: 'remove it' });
      for (const [place, job] of jobs.entries()) await this.#step(job, ['phases', index, 'steps', place]);
    }
    return draft;
  }

  #settings(config: Item): void {
    const draft = this.#draft;
    for (const [name, item] of config.fields()) {
      if (name === 'kubernetes_namespace') draft.namespace = draft.text(item);
      else if (name === 'parallelization') this.#parallelization(item);
      else if (name === 'cleanup' && draft.flag(item) === true) {
        draft.set(['retention', 'succeeded', 'count'], 0, item);
        draft.remark(['retention'], 'cleanup: true deleted the Jobs of a run in which all succeeded. With count: 1 the last one stays, to look at.');
      } else if (name !== 'cleanup') draft.remark([], `${name}: ${shown(item.value)} has no equal: ${settings.get(name) ?? 'jobernetes knows no such setting'}.`);
    }
  }

  #parallelization(item: Item): void {
    const most = this.#draft.count(item);
    if (most === undefined || most === 0) return;
    this.#draft.set(['maxParallel'], most, item);
    this.#draft.remark(['maxParallel'], 'parallelization counted all Jobs of the namespace; this counts those of the run.');
  }

  #nameOf(item: Item): string | undefined {
    const given = this.#draft.requiredText(item);
    if (given === undefined) return undefined;
    const name = new RegExp(namePattern).test(given) ? given : `${/^[A-Za-z]/.test(given) ? '' : 's-'}${given.replace(/[^A-Za-z0-9_-]+/g, '-')}`.slice(0, 63);
    this.#names.set(given, name);
    return name;
  }

  async #step(job: Item, at: FieldPath): Promise<void> {
    const draft = this.#draft;
    const name = this.#nameOf(job.at('name'));
    draft.set([...at, 'name'], name, job.at('name'));
    const jobPath = draft.requiredText(job.at('job_path'));
    if (name !== undefined && jobPath !== undefined) await (job.at('type').text === 'directory' ? this.#folder(job, at, name) : this.#file(job, at, name));
    const before = job.at('depends_on').members().map((item) => this.#names.get(item.text ?? '') ?? item.text ?? '');
    if (before.length > 0) draft.set([...at, 'dependsOn'], before, job.at('depends_on'));
  }

  async #file(job: Item, at: FieldPath, step: string): Promise<void> {
    const item = job.at('job_path');
    const file = await this.#files.read(item.text ?? '', this.#source.document.file);
    if (!file) {
      this.#draft.complain(item, 'UnknownFile', `there is no file ${shown(item.text)}`, { hint: 'paths count from the folder of the model; a folder needs type: directory' });
      return;
    }
    const base = dataKey(path.basename(item.text ?? ''));
    const key = [base, `${step}-${base}`].find((one) => !Object.hasOwn(this.#draft.files, one) && this.#patterns.every((pattern) => matching(pattern, [one]).length === 0)) ?? `job-${step}-${base}`;
    this.#draft.set([...at, 'jobFile'], key, item);
    this.#timeout([this.#manifest(file, key, at)], at);
  }

  async #folder(job: Item, at: FieldPath, step: string): Promise<void> {
    const item = job.at('job_path');
    const found = await this.#files.folder(item.text ?? '', this.#source.document.file);
    if (!found || found.length === 0) {
      this.#draft.complain(item, 'UnknownFile', found ? `the folder ${shown(item.text)} has no manifests` : `there is no folder ${shown(item.text)}`, { hint: 'paths count from the folder of the model; manifests end in .yml, .yaml or .json' });
      return;
    }
    const prefix = [step, `${step}-folder`].find((word) => matching(`${word}.*`, Object.keys(this.#draft.files)).length === 0) ?? step;
    this.#patterns.push(`${prefix}.*`);
    this.#draft.set([...at, 'jobFiles'], `${prefix}.*`, item);
    this.#timeout(found.map((file) => this.#manifest(file, dataKey(`${prefix}.${path.basename(file.file)}`), at)), at);
  }

  /** Keeps the manifest as it stands, but for what its step says now; how many seconds it has, where it says that. */
  #manifest({ file, text }: NamedFile, key: string, at: FieldPath): number | undefined {
    const draft = this.#draft;
    const { documents, problems } = readText({ file, text });
    draft.problems.push(...problems);
    const [document, second] = documents;
    if (!document) {
      if (problems.length === 0) draft.complain(this.#source, 'NotAJob', `${file} is empty`);
      return undefined;
    }
    const manifest = Item.of(document);
    if (second) draft.complain(Item.of(second), 'MultipleDocuments', 'there is more than one document in the file', { hint: 'give each Job a file of its own' });
    const spec = manifest.at('spec');
    const deadline = draft.count(spec.at('activeDeadlineSeconds'));
    const removed = spec.fields().map(([name]) => name).filter((name) => Object.hasOwn(refusedStepFields, name));
    const others = removed.filter((name) => name !== 'activeDeadlineSeconds');
    if (others.length > 0) draft.remark(at, `${key} had ${others.map((name) => `${name}: ${shown(spec.at(name).value)}`).join(', ')}, which was left out: ${refusedStepFields[others[0] ?? ''] ?? ''}.`);
    draft.files[key] = withoutFields(text, removed, manifest.value);
    draft.fileOrigins.set(key, { file, text });
    return deadline;
  }

  /** The Jobs of a step share its limit: the longest, if all have one. */
  #timeout(deadlines: readonly (number | undefined)[], at: FieldPath): void {
    const given = deadlines.filter((deadline) => deadline !== undefined);
    const all = given.length === deadlines.length;
    if (all) this.#draft.set([...at, 'timeout'], seconds(Math.max(...given)));
    if (new Set(deadlines).size > 1) this.#draft.remark(all ? [...at, 'timeout'] : at, `The Jobs had ${deadlines.map((deadline) => (deadline === undefined ? 'no activeDeadlineSeconds' : `activeDeadlineSeconds: ${deadline}`)).join(', ')}; the steps of a folder share one timeout.`);
  }

}

/** What a data key may not hold is replaced. */
function dataKey(name: string): string {
  return name.replace(/[^-._a-zA-Z0-9]+/g, '-');
}

/** JSON stays JSON, and comments of YAML stay. What the cluster wrote about another Job goes. */
function withoutFields(text: string, names: readonly string[], value: Json | undefined): string {
  const metadata = isObject(value) && isObject(value['metadata']) ? Object.keys(value['metadata']) : [];
  const foreign = metadata.filter((name) => !['name', 'generateName', 'namespace', 'labels', 'annotations'].includes(name)).map((name) => ['metadata', name]);
  const paths = [...names.map((name) => ['spec', name]), ...foreign, ...(isObject(value) && 'status' in value ? [['status']] : [])];
  if (paths.length === 0) return text;
  const document = parseDocument(text, { version: '1.2' });
  for (const each of paths) document.deleteIn(each);
  return document.toString({ lineWidth: 0 });
}
