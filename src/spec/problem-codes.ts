/** Every code that a problem of a spec can carry, with its severity. docs/errors.md explains each; a test holds the two together. */
import type { Severity } from './problem.ts';

/** Severity by code. */
export const problemCodes = {
  // The text as a whole.
  EmptySpec: 'error',
  SpecTooLarge: 'error',
  SpecLarge: 'warning',
  UnusedFile: 'warning',
  InvalidYaml: 'error',
  TabIndentation: 'error',
  MultipleDocuments: 'error',
  DuplicateKey: 'error',
  TooManyAliases: 'error',
  UnsupportedYaml: 'error',
  AmbiguousNumber: 'error',
  AmbiguousWord: 'error',
  FluxSubstitution: 'warning',
  HelmTemplate: 'warning',
  TooManyProblems: 'warning',
  // What it claims to be.
  NotAMapping: 'error',
  UnsupportedApiVersion: 'error',
  UnknownKind: 'error',
  LabelMismatch: 'error',
  InvalidName: 'error',
  // Its fields.
  MissingField: 'error',
  UnknownField: 'error',
  UnsupportedField: 'error',
  RefusedField: 'error',
  WrongType: 'error',
  InvalidValue: 'error',
  InvalidDuration: 'error',
  ConflictingFields: 'error',
  ReservedName: 'error',
  UnknownReference: 'error',
  UnreplacedReference: 'warning',
  ReferenceInScript: 'warning',
  EnvOverridden: 'warning',
  LiteralCredential: 'warning',
  // How its steps depend on each other, and the files that they name.
  NameTaken: 'error',
  UnknownStep: 'error',
  InvalidExpression: 'error',
  DependencyCycle: 'error',
  NeverStarts: 'error',
  ManyPods: 'warning',
  UnknownFile: 'error',
  NotAJob: 'error',
  // What the operator's configuration says about it.
  UnknownConnection: 'error',
  ConnectionType: 'error',
  ConnectionNotInjectable: 'error',
  PolicyDenied: 'error',
  UrlNotAllowed: 'warning',
  // Only in `job-chief lint`, which sees files and several specs at once.
  DuplicateName: 'error',
  MissingLabel: 'warning',
  UnknownGroup: 'warning',
  LeaseTooShort: 'warning',
} as const satisfies Readonly<Record<string, Severity>>;

/** One of the codes. */
export type ProblemCode = keyof typeof problemCodes;
