/**
 * The shape of what records hold. Anybody may edit them, and plans rely on their types: what does not fit is unreadable
 * as a whole. Fields that are not known here are let through: a later version may have written them.
 */
import { Type, type Static, type TSchema } from 'typebox';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { RunRequest, RunResult } from '../../plan/run/record.ts';
import type { RunState } from '../../plan/run/state.ts';
import { validator } from '../../spec/validate.ts';

const text = Type.String();
const maybeText = Type.Optional(text);
const maybeNumber = Type.Optional(Type.Number());
const oneOf = <const Words extends readonly string[]>(words: Words) => Type.Unsafe<Words[number]>({ type: 'string', enum: words });
const values = Type.Optional(Type.Record(text, Type.Unsafe<Json>({})));

const stepOutcome = oneOf(['succeeded', 'failed', 'errored', 'notStarted', 'refused', 'skipped', 'omitted', 'cancelled']);
const runOutcome = oneOf(['succeeded', 'failed', 'cancelled']);

const attempt = Type.Object({
  job: text,
  at: Type.Number(),
  seen: Type.Optional(Type.Boolean()),
  ranAt: maybeNumber,
  endedAt: maybeNumber,
  outcome: Type.Optional(stepOutcome),
  reason: maybeText,
  message: maybeText,
  exitCode: maybeNumber,
  verdict: maybeText,
  memory: maybeText,
  failedItems: Type.Optional(Type.Array(Type.Number())),
});

const item = Type.Object({ outcome: Type.Optional(stepOutcome), reason: maybeText, message: maybeText, attempts: Type.Array(attempt), outputs: values });

const step = Type.Object({
  outcome: Type.Optional(stepOutcome),
  reason: maybeText,
  message: maybeText,
  at: maybeNumber,
  attempts: Type.Optional(Type.Array(attempt)),
  items: Type.Optional(Type.Array(item)),
  each: Type.Optional(Type.Object({ count: Type.Number(), values: Type.Optional(Type.Array(Type.Unsafe<Json>({}))) })),
  outputs: values,
  from: maybeText,
  inputs: maybeText,
});

/** Data key state.json. */
export const stateSchema = Type.Object({
  startedAt: Type.Number(),
  steps: Type.Record(text, step),
  undo: Type.Record(text, step),
  stopping: Type.Optional(Type.Object({ mode: oneOf(['stop', 'cancel', 'revert']), reason: text, message: text, at: Type.Number() })),
  end: Type.Optional(Type.Object({ outcome: runOutcome, reason: text, message: text, at: Type.Number(), failedSteps: Type.Array(text), outputs: values })),
});

const bound = Type.Object({ count: maybeNumber, age: maybeNumber });

/** Annotation job-chief/request. */
export const requestSchema = Type.Object({
  workflow: Type.Optional(Type.String({ minLength: 1 })),
  template: Type.Optional(Type.String({ minLength: 1 })),
  trigger: oneOf(['change', 'schedule', 'request', 'step', 'message']),
  specHash: maybeText,
  source: maybeText,
  run: maybeText,
  queue: maybeText,
  scheduledAt: maybeNumber,
  parent: Type.Optional(Type.Object({ run: text, uid: text, step: text, attempt: Type.Number(), depth: Type.Number(), within: Type.Optional(Type.Array(text)) })),
  rerunOf: Type.Optional(Type.Object({ run: text, uid: text, from: maybeText })),
  priority: maybeNumber,
  retention: Type.Optional(Type.Object({ succeeded: bound, failed: bound, beforeDelete: Type.Optional(Type.Object({ url: text, timeout: Type.Number({ minimum: 0 }), headersFromSecret: maybeText })) })),
}, { oneOf: [{ required: ['workflow'] }, { required: ['template'] }] });

/** Annotation job-chief/result. */
export const resultSchema = Type.Object({
  outcome: runOutcome,
  reason: text,
  message: text,
  startedAt: Type.Number(),
  finishedAt: Type.Number(),
  failedSteps: Type.Array(text),
  outputs: values,
  untried: Type.Optional(oneOf(['errored', 'notStarted', 'refused'])),
});

/** A run's state from its parsed JSON; undefined: unreadable. */
export const asRunState: (value: unknown) => RunState | undefined = reader(stateSchema);
/** Annotation job-chief/request, parsed; undefined: unreadable. */
export const asRunRequest: (value: unknown) => RunRequest | undefined = reader(requestSchema);
/** Annotation job-chief/result, parsed; undefined: unreadable. */
export const asRunResult: (value: unknown) => RunResult | undefined = reader(resultSchema);

function reader<Schema extends TSchema>(schema: Schema): (value: unknown) => Static<Schema> | undefined {
  const check = validator(schema as unknown as JsonObject);
  return (value) => (check(value).length === 0 ? (value as Static<Schema>) : undefined);
}
