/** Specs as the API shows them. */
import { Type, type Static } from 'typebox';
import { mapOrNull, pageOf, textOrNull } from './fields.ts';

const condition = Type.Object({
  type: Type.String({ description: '`Accepted`, `Progressing` or `LastRun`.' }),
  status: Type.String({ description: '`True`, `False` or `Unknown`.' }),
  reason: Type.String({ description: 'As in the page on reasons.' }),
  message: Type.String({ description: 'For people.' }),
});

const fields = {
  kind: Type.String({ description: 'Kind in lower case, as paths have it.' }),
  name: Type.String({ description: 'Logical name.' }),
  state: textOrNull('State, such as `Idle` or `Rejected`; null: no controller has said anything about it.'),
  reason: textOrNull('Why it is in that state.'),
  message: textOrNull('The same for people.'),
  health: textOrNull('`Healthy`, `Progressing` or `Degraded`.'),
  hash: textOrNull('Hash of the text as it is now; null where it cannot be read.'),
  observedHash: textOrNull('Hash of the text that the state is about; another than `hash`: the state is of an older text.'),
  valid: Type.Boolean({ description: 'Whether the text as it is now has no errors.' }),
  suspended: Type.Boolean({ description: 'Whether the text says `suspend: true`.' }),
  source: Type.Object({ kind: Type.String({ description: '`configMap` or `file`.' }), name: Type.String({ description: 'Name of the ConfigMap, or path of the file.' }) }, { description: 'What defines it.' }),
  superseded: Type.Boolean({ description: 'Another document with this kind and name is newer, and counts.' }),
};

export const specSchema = Type.Object(fields, { description: 'One document that defines a spec.', $id: 'Spec' });

export const specDetailSchema = Type.Object(
  {
    ...fields,
    conditions: Type.Array(condition, { description: 'As in the status of the ConfigMap.' }),
    lastRun: mapOrNull('What the newest finished Job or run came to; null: none is known.'),
    problems: Type.Array(
      Type.Object({
        severity: Type.String({ description: '`error` or `warning`.' }),
        code: Type.String({ description: 'As in the page on errors.' }),
        message: Type.String({ description: 'For people.' }),
        path: textOrNull('Path of the field.'),
        line: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: 'Line in the text of the spec.' }),
        column: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: 'Column in that line.' }),
        hint: textOrNull('What to do.'),
      }),
      { description: 'What is wrong with the text as it is now.' },
    ),
    requestable: Type.Boolean({ description: 'Whether a run of it can be asked for.' }),
    parameters: mapOrNull('JSON Schema of the values that a request takes, with defaults; null: it takes none, or its text has errors.'),
    supersedes: Type.Array(Type.String(), { description: 'ConfigMaps or files that define the same, and do not count.' }),
  },
  { description: 'A spec, with all that is known about it.', $id: 'SpecDetail' },
);

export const specPageSchema = pageOf(specSchema, 'By kind and name.');

export type SpecBody = Static<typeof specSchema>;
export type SpecDetailBody = Static<typeof specDetailSchema>;
