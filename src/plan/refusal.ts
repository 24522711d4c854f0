/** The last create that the API server refused, until one is accepted or the spec changes. */
export interface Refusal {
  /** `taken`: a Job that is not ours has the name. `denied`: the operator's policy says no, and nothing was asked. */
  readonly kind: 'refused' | 'denied' | 'quota' | 'forbidden' | 'taken';
  readonly hash: string;
  readonly message: string;
  /** It can never be stored, whoever asks: what asks for it is wrong, and nothing else. */
  readonly tooLarge?: true;
  /** By this process's clock. */
  readonly at: number;
  /** How many in a row. */
  readonly count: number;
}

/** Of a create for one message. */
export interface MessageRefusal extends Refusal {
  /** So many times somebody else was started after it, and before the next one. Absent: never. */
  readonly confirmed?: number;
  /** Turns in a row, up to this one, in which nobody was started and somebody refused. Absent: as many as `count`. */
  readonly turns?: number;
}
