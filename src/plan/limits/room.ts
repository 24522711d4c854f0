/** What the limits of the instance leave to one plan. Imports next to nothing: whatever plans look at may hold it. */
import type { Reason } from '../reason.ts';

/** What keeps Jobs from starting, as a spec stands at it. */
export interface Shortage {
  readonly state: 'Waiting' | 'Blocked' | 'Suspended';
  readonly reason: Reason;
  readonly message: string;
}

/** What a plan may start now. */
export interface Room {
  /** Jobs; Infinity where nothing bounds them. */
  readonly jobs: number;
  /** Nothing may start, however much is free. */
  readonly halted: boolean;
  /** What keeps more from starting. Asked only by a plan that wants more: it costs something to tell. */
  readonly shortage: Shortage;
}

/** Room without an end: what plans see where nobody limits them. */
export const unlimited: Room = { jobs: Infinity, halted: false, shortage: { state: 'Waiting', reason: 'LimitReached', message: '' } };
