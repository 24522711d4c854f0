/** How logs are read and printed. */
import type { LogChoice } from './choose.ts';
import type { PrintOptions } from './printer.ts';

export interface LogOptions extends LogChoice, PrintOptions {
  readonly follow: boolean;
  /** Lines of each container that are read from its end; undefined: all. */
  readonly tail: number | undefined;
  /** Milliseconds. */
  readonly since: number | undefined;
  /** Whether lines say where they are from; undefined: where there are several. */
  readonly prefix: boolean | undefined;
}
