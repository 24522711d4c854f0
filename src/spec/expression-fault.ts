/** What is wrong with an expression, and where. */
export interface ExpressionProblem {
  readonly kind: 'problem';
  /** One sentence without a full stop. */
  readonly message: string;
  /** Where in the text, from 0. */
  readonly offset: number;
  readonly hint?: string;
}

/** An expression cannot be compiled. Thrown and caught inside the compiler; outside a problem is data. */
export class ExpressionFault extends Error {
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(message: string, offset: number, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}
