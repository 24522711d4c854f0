/**
 * Specs from a folder of YAML files, for installations without rights on ConfigMaps and for work on a desk. The folder
 * is looked through every few seconds; fs.watch only makes that sooner, since it is silent on network and some
 * container file systems. Modes: looking → resting → looking; a look that fails leaves everything as it was and takes
 * `synced` away until one succeeds; stopped is final.
 */
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { asError } from '../../lib/clock.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Log, ReadResult, SpecDocument, SpecSource } from '../../reconcile/ports.ts';
import { readDocuments } from './read-documents.ts';
import { listFolder, readText } from './walk-folder.ts';
import type { FileStamp } from './walk-folder.ts';

export interface FolderOptions {
  readonly folder: string;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: (id: string) => void;
  /** Milliseconds between looks; default 5 s. */
  readonly interval?: number;
}

interface KnownFile {
  readonly stamp: FileStamp;
  readonly documents: ReadonlyMap<string, SpecDocument>;
}

/** After a hint: an editor or a volume swap makes several changes at once. */
const soon = 50;

/** An id is the file's path within the folder, with `#2` and so on for further documents in it. */
export class FolderSpecs implements SpecSource {
  readonly #options: FolderOptions;
  readonly #synced = Promise.withResolvers<undefined>();
  #files: ReadonlyMap<string, KnownFile> = new Map();
  #documents: ReadonlyMap<string, SpecDocument> = new Map();
  #ok = false;
  #complained = false;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #watcher: FSWatcher | undefined;
  #stopped = false;

  constructor(options: FolderOptions) {
    this.#options = options;
  }

  get synced(): boolean {
    return this.#ok;
  }

  /** Resolves with the first look that succeeds. */
  get whenSynced(): Promise<undefined> {
    return this.#synced.promise;
  }

  ids(): readonly string[] {
    return [...this.#documents.keys()];
  }

  get(id: string): SpecDocument | undefined {
    return this.#documents.get(id);
  }

  /** A folder is never more than a few seconds behind, and no collector takes along what was made from a file that is gone. */
  look(id: string): Promise<ReadResult<SpecDocument>> {
    const document = this.get(id);
    return Promise.resolve(document ? { kind: 'found', value: document } : { kind: 'absent' });
  }

  /** Files have no versions, and nobody else's view of them is ahead. */
  hasSeen(): boolean {
    return true;
  }

  start(): void {
    if (!this.#stopped) this.#lookNow();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#watcher?.close();
    await this.#looking;
  }

  #lookNow(): void {
    this.#timer?.cancel();
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (!this.#stopped) this.#rest(this.#options.interval ?? 5_000);
    });
  }

  #rest(delay: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.timer(delay, () => {
      this.#lookNow();
    });
  }

  async #look(): Promise<void> {
    this.#listen();
    try {
      const files = await this.#read();
      if (this.#stopped) return;
      this.#complained = false;
      this.#ok = true;
      this.#replace(files);
      this.#synced.resolve(undefined);
    } catch (error) {
      this.#ok = false;
      // Not an empty folder: an unmounted volume must not end everything that runs.
      if (!this.#complained) this.#options.log.warn({ folder: this.#options.folder, error: asError(error).message }, 'spec folder cannot be read');
      this.#complained = true;
    }
  }

  /** Only files whose stamp changed are read again. */
  async #read(): Promise<ReadonlyMap<string, KnownFile>> {
    const { folder, instance } = this.#options;
    const files = new Map<string, KnownFile>();
    for (const [path, stamp] of await listFolder(folder)) {
      const known = this.#files.get(path);
      if (known?.stamp.text === stamp.text) {
        files.set(path, known);
        continue;
      }
      const text = await readText(folder, path);
      if (text !== undefined) files.set(path, { stamp, documents: documentsOf(path, { text, stamp, instance }) });
    }
    return files;
  }

  #replace(files: ReadonlyMap<string, KnownFile>): void {
    const before = this.#documents;
    this.#files = files;
    this.#documents = new Map([...files.values()].flatMap((file) => [...file.documents]));
    for (const id of new Set([...before.keys(), ...this.#documents.keys()])) {
      if (before.get(id) !== this.#documents.get(id)) this.#tell(id);
    }
  }

  #tell(id: string): void {
    try {
      this.#options.onChange(id);
    } catch (error) {
      this.#options.log.error({ id, error }, 'handler of a change threw');
    }
  }

  /** A watcher ends with its folder, for example when a volume is mounted again: made anew with each look, if need be. */
  #listen(): void {
    if (this.#watcher) return;
    try {
      const watcher = watch(this.#options.folder, { persistent: false }, () => {
        if (!this.#stopped) this.#rest(soon);
      });
      const forget = (): void => {
        if (this.#watcher === watcher) this.#watcher = undefined;
      };
      watcher.on('error', forget);
      watcher.on('close', forget);
      this.#watcher = watcher;
    } catch {
      // The looks go on without it.
    }
  }
}

function documentsOf(path: string, file: { text: string; stamp: FileStamp; instance: string }): ReadonlyMap<string, SpecDocument> {
  const source = { kind: 'file' as const, path, createdAt: file.stamp.changedAt };
  const found = readDocuments(path, file.text, file.instance);
  return new Map(found.map((document, index) => [index === 0 ? path : `${path}#${index + 1}`, { source, ...document }]));
}
