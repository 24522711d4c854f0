/** Files below a folder that a Workflow names by their paths. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isObject, objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import { nearest } from '../../lib/nearest.ts';
import { readDocument } from '../../spec/document.ts';
import { matching } from '../../spec/workflow-files.ts';
import { stepTexts, type StepText } from '../../spec/workflow-steps.ts';
import { treeFiles } from '../spec-folder.ts';

export interface MentionedFiles {
  /** Text by path, as the spec has it. */
  readonly data: Readonly<Record<string, string>>;
  /** One sentence for each that cannot be had. */
  readonly problems: readonly string[];
}

/** A tree with more is no folder of specs: looking further would take long and find nothing. */
const mostFiles = 20_000;

/** `text`: the spec; whatever is wrong with it otherwise is for its parser to say. */
export async function mentionedFiles(folder: string, text: string): Promise<MentionedFiles> {
  const { value } = readDocument(text);
  const reader = new FileReader(folder);
  for (const step of isObject(value) ? stepTexts(value).all : []) await readStep(reader, step);
  return { data: Object.fromEntries(reader.texts), problems: reader.problems };
}

async function readStep(reader: FileReader, { name, value }: StepText): Promise<void> {
  const who = `step "${name}"`;
  for (const file of [stringAt(value, 'jobFile'), stringAt(objectAt(value, 'undo'), 'jobFile'), ...mounted(value)]) if (file !== undefined) await reader.file(file, who);
  const pattern = stringAt(value, 'jobFiles');
  if (pattern !== undefined) await reader.pattern(pattern, who);
}

function mounted(step: JsonObject): (string | undefined)[] {
  const files = objectAt(step, 'files');
  return Object.keys(files).map((target) => stringAt(files, target));
}

class FileReader {
  readonly texts = new Map<string, string>();
  readonly problems: string[] = [];
  readonly #folder: string;
  /** Paths below a folder, by the way to it from ours. */
  readonly #trees = new Map<string, readonly string[]>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async file(name: string, who: string): Promise<void> {
    if (this.texts.has(name) || this.#isAbsolute(name, who)) return;
    const content = await readFile(path.join(this.#folder, name)).catch(() => undefined);
    if (content) {
      this.#take(name, content, who);
      return;
    }
    const guess = nearest(name, await this.#tree(wayUp(name)));
    this.problems.push(`${who}: there is no file ${path.join(this.#folder, name)}${guess === undefined ? '' : `; did you mean "${guess}"?`}`);
  }

  async pattern(pattern: string, who: string): Promise<void> {
    if (this.#isAbsolute(pattern, who)) return;
    const found = matching(pattern, await this.#tree(wayUp(pattern)));
    if (found.length === 0) this.problems.push(`${who}: no file matches ${path.join(this.#folder, pattern)}; of a folder all files that end in .yaml, .yml or .json are taken`);
    for (const name of found) await this.file(name, who);
  }

  #take(name: string, content: Buffer, who: string): void {
    try {
      this.texts.set(name, new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content));
    } catch {
      this.problems.push(`${who}: ${path.join(this.#folder, name)} is no UTF-8 text`);
    }
  }

  #isAbsolute(name: string, who: string): boolean {
    if (!path.isAbsolute(name)) return false;
    this.problems.push(`${who}: "${name}" must be a path below ${this.#folder}, or relative to it`);
    return true;
  }

  async #tree(way: string): Promise<readonly string[]> {
    const known = this.#trees.get(way);
    if (known) return known;
    const root = path.join(this.#folder, way);
    const files = await treeFiles(root, mostFiles).catch(() => []);
    const paths = files.map((file) => `${way}${path.relative(root, file.path).split(path.sep).join('/')}`);
    this.#trees.set(way, paths);
    return paths;
  }
}

/** `../` and `./` at the beginning. */
function wayUp(name: string): string {
  return /^(?:\.{1,2}\/)*/.exec(name)?.[0] ?? '';
}
