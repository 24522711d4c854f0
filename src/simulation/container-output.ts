/** What one life of a container writes to its standard output, as the kubelet keeps it. */

export interface WrittenLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
}

export class ContainerOutput {
  readonly lines: WrittenLine[] = [];
  readonly #listeners = new Set<() => void>();
  #over = false;

  /** Nothing more will come. */
  get over(): boolean {
    return this.#over;
  }

  write(at: number, text: string): void {
    if (this.#over) return;
    this.lines.push({ at, text });
    this.#tell();
  }

  end(): void {
    this.#over = true;
    this.#tell();
  }

  /** Calls `run` after each line and at the end, until the returned function is called. */
  subscribe(run: () => void): () => void {
    this.#listeners.add(run);
    return () => { this.#listeners.delete(run); };
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
