/** Whether this process is the one that acts, where several run for high availability. */

export interface Leadership {
  /**
   * True while this process may act, at the very moment of reading and by its own monotonic clock. Read it before each
   * action: an event loop that stood still past the deadline finds it false before any timer could tell.
   */
  readonly leading: boolean;
  /** Calls `told` after each change. The end may be told late; `leading` never is. */
  onChange(told: () => void): void;
}

/** Without high availability. */
export const alone: Leadership = { leading: true, onChange: () => undefined };
