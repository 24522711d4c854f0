/** What every format of the sources is to the converter. */
import type { Problem } from '../../spec/problem.ts';
import type { Draft } from './draft.ts';
import type { Item } from './item.ts';

/** What came of the sources of one format. */
export interface Converted {
  readonly drafts: readonly Draft[];
  /** Those that belong to no draft. */
  readonly problems: readonly Problem[];
}

/** What a format may ask for besides its own documents. */
export interface ConvertContext {
  /** Name of the operator's connection that queues get. */
  readonly connection: string;
  /** Name for what has none of its own. */
  readonly name: string;
  /** Everything that was given, for what refers to something else there. */
  readonly all: readonly Item[];
  readonly files: SourceFiles;
}

/** Files that a source names. */
export interface SourceFiles {
  /** The file at `name` as the source `from` means it; undefined: it cannot be read. */
  read(name: string, from: string): Promise<NamedFile | undefined>;
  /** The manifests in the folder at `name`, by name; undefined: there is no such folder. */
  folder(name: string, from: string): Promise<readonly NamedFile[] | undefined>;
}

/** A file that was read. */
export interface NamedFile {
  /** For places of problems. */
  readonly file: string;
  readonly text: string;
}

/** One format of other systems. */
export interface Format {
  /** Whether a document is of this format. */
  readonly recognises: (document: Item) => boolean;
  readonly convert: (documents: readonly Item[], context: ConvertContext) => Converted | Promise<Converted>;
}
