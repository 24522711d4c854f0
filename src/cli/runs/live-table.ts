/** Lines that stay at the foot of a terminal while others scroll by above them. */
import type { Screen } from './table.ts';

export class LiveTable {
  readonly #out: (text: string) => void;
  readonly #width: number;
  #lines: readonly string[] = [];

  constructor(out: (text: string) => void, { width = 80 }: Pick<Screen, 'width'>) {
    this.#out = out;
    this.#width = width;
  }

  /** Prints above the table, for good. */
  above(text: string): void {
    this.#out([`${this.#erase()}${text}`, ...this.#lines].join('\n'));
  }

  /** Puts other lines in place of the table. */
  show(lines: readonly string[]): void {
    const erase = this.#erase();
    this.#lines = lines;
    if (lines.length > 0) this.#out(`${erase}${lines.join('\n')}`);
  }

  /** Back to the first line of the table, and away with what stands there. */
  #erase(): string {
    const rows = this.#lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(visible(line) / this.#width)), 0);
    return rows === 0 ? '' : `\u001B[${rows}A\u001B[J`;
  }
}

/** Characters that take room: without colours. */
function visible(line: string): number {
  return line.replaceAll(/\p{Cc}\[\d+m/gu, '').length;
}
