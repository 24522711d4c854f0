/** What one YAML file holds for job-chief: bare specs, and ConfigMap manifests that carry them. */
import { isMap, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';
import { isObject, objectAt, stringAt } from '../../lib/json.ts';
import { allKinds } from '../../spec/head.ts';
import { substitutionDisabled } from '../../spec/input-rules.ts';
import { defaultInstance, instanceLabel, kindLabel, specKey } from '../../spec/keys.ts';
import type { SpecDocument } from '../../reconcile/ports.ts';

/** As a SpecDocument, but for when the file was changed. */
export type FoundDocument = Omit<SpecDocument, 'source'>;

/**
 * Everything that is or may be meant as a spec: a document that cannot be parsed is kept where it mentions job-chief, so
 * that the parser reports it; manifests of other kinds and ConfigMaps of other instances are left out. A bare spec names
 * no instance: it belongs to whoever was given the folder. `file` is the name for positions; without an
 * instance (null) the ConfigMaps of all are taken.
 */
export function readDocuments(file: string, text: string, instance: string | null = defaultInstance): readonly FoundDocument[] {
  const documents = parseAllDocuments(text, { version: '1.2', merge: true, prettyErrors: false, logLevel: 'silent' });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => found(file, documents.length === 1 ? text : padded(text, document), { document, instance }) ?? []);
}

function found(file: string, text: string, { document, instance }: { document: Document.Parsed; instance: string | null }): FoundDocument | undefined {
  const bare: FoundDocument = { file, objectName: baseName(file), label: undefined, data: { [specKey]: text } };
  if (document.errors.length > 0) return text.includes('job-chief') ? bare : undefined;
  const value = valueOf(document);
  const version = stringAt(value, 'apiVersion');
  const kind = stringAt(value, 'kind') ?? '';
  if (version === 'v1' && kind === 'ConfigMap') return manifest(file, value, instance);
  const ours = version === undefined ? allKinds.includes(kind) : version.startsWith('job-chief/');
  return ours ? bare : undefined;
}

function manifest(file: string, value: unknown, instance: string | null): FoundDocument | undefined {
  const metadata = objectAt(value, 'metadata');
  const labels = objectAt(metadata, 'labels');
  const label = stringAt(labels, kindLabel);
  if (label === undefined || (instance !== null && (stringAt(labels, instanceLabel) ?? defaultInstance) !== instance)) return undefined;
  const data = Object.entries(objectAt(value, 'data')).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const optsOut = substitutionDisabled(metadata) ? { substituteDisabled: true } : {};
  return { file, objectName: stringAt(metadata, 'name') ?? baseName(file), label, data: Object.fromEntries(data), ...optsOut };
}

/** Aliases beyond the parser's limit throw: then the text speaks for itself. */
function valueOf(document: Document.Parsed): unknown {
  try {
    const value: unknown = isMap(document.contents) ? document.toJS() : undefined;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** One document of several, with as many empty lines before it as there are in the file, so that positions stay true. */
function padded(text: string, document: Document.Parsed): string {
  const [start, , end] = document.range;
  const lines = text.slice(0, start).split('\n').length - 1;
  return `${'\n'.repeat(lines)}${text.slice(start, end)}`;
}

function baseName(file: string): string {
  return (file.split('/').at(-1) ?? file).replace(/\.ya?ml$/i, '');
}
