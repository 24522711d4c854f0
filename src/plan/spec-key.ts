/** What all rounds of one logical spec are keyed by: lower-case kind and the name as label value. */
export interface SpecKey {
  /** `request`: a spec of kind Run, which asks for a run. `run`: a run itself, by its record. */
  /** `unknown`: a document whose kind does not exist; it can only be reported. */
  readonly kind: 'queue' | 'workflow' | 'template' | 'request' | 'limits' | 'run' | 'unknown';
  /** Label value of the logical name; of a run the name of its record. */
  readonly name: string;
}
