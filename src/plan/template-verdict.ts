/** What is known of whether the cluster would take what a spec describes. */

/** What the API server's dry run said about the rendered template of one spec hash. */
export interface TemplateVerdict {
  readonly hash: string;
  readonly at: number;
  /** How many answers of this kind came in a row. */
  readonly count: number;
  readonly result:
    | { readonly kind: 'passed'; readonly warnings: readonly string[] }
    | { /** `denied`: by the operator's policy. */ readonly kind: 'refused' | 'denied' | 'forbidden' | 'unknown'; readonly message: string };
}
