/** How status is printed. */
import type { Screen } from '../runs/table.ts';

export interface RenderOptions {
  readonly screen: Screen;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** More columns, and nothing cut. */
  readonly wide: boolean;
}
