/** Runs as the API shows them. */
import { Type, type Static } from 'typebox';
import { anything, mapOrNull, numberOrNull, oneOf, pageOf, textOrNull, timeOrNull } from './fields.ts';

export const phases = ['Queued', 'Running', 'Suspended', 'Succeeded', 'Failed', 'Cancelled'] as const;

const target = Type.Object({ kind: oneOf(['workflow', 'template'], 'Kind of the spec.'), name: Type.String({ description: 'Its logical name.' }) }, { description: 'What it is a run of.' });

const fields = {
  name: Type.String({ description: 'Name of the run, and of its record.' }),
  uid: Type.String({ description: 'UID of the record.' }),
  target,
  phase: oneOf(phases, '`Queued`: it waits for its turn.'),
  trigger: textOrNull('`change`, `schedule`, `request`, `step` or `message`; null: the record was edited into something unreadable.'),
  createdAt: timeOrNull('When it was written down.'),
  startedAt: timeOrNull('When it was taken up; null: it was not, or (in lists) it is not over yet.'),
  finishedAt: timeOrNull('When it was over; null: it is not.'),
  outcome: textOrNull('`succeeded`, `failed` or `cancelled`; null: it is not over.'),
  reason: textOrNull('Why it came out like that.'),
  message: textOrNull('The same for people.'),
  failedSteps: Type.Array(Type.String(), { description: 'The first hundred steps that failed and count.' }),
  outputs: mapOrNull('Outputs of the run; null: it has none, or is not over.'),
  priority: Type.Integer({ description: 'Larger ones first where several wait.' }),
  suspendRequested: Type.Boolean({ description: 'Somebody asked that nothing new of it starts.' }),
  cancelRequested: textOrNull('Why somebody asked for its end; null: nobody did.'),
  approvals: anything('Words that were given, by step: `approved` or `rejected`.'),
  scheduledAt: timeOrNull('Of a run on schedule: the time that it stands for.'),
  parent: Type.Unsafe<{ readonly run: string; readonly step: string } | null>({ type: ['object', 'null'], properties: { run: { type: 'string' }, step: { type: 'string' } }, required: ['run', 'step'], description: 'Of a sub-run: the step that waits for it.' }),
  rerunOf: textOrNull('Name of the run that it repeats.'),
};

export const runSchema = Type.Object(fields, { description: 'A run, as its record says in short.', $id: 'Run' });

const times = {
  startedAt: timeOrNull('When it was decided on.'),
  ranAt: timeOrNull('When its first container started.'),
  endedAt: timeOrNull('When it had its outcome.'),
};

export const stepSchema = Type.Object(
  {
    name: Type.String({ description: 'Name of the step.' }),
    part: Type.String({ description: '`steps`, `undo` or `finally`.' }),
    phase: textOrNull('Phase of the workflow in which it stands.'),
    state: Type.String({ description: '`Waiting`, `Starting`, `Running`, `Retrying`, or an outcome such as `Succeeded`.' }),
    items: Type.Unsafe<{ readonly succeeded: number | null; readonly all: number } | null>({
      type: ['object', 'null'],
      properties: { succeeded: { type: ['integer', 'null'], description: 'null: only the Job could tell.' }, all: { type: 'integer' } },
      required: ['succeeded', 'all'],
      description: 'Of a step with items; null: it has none.',
    }),
    attempts: Type.Integer({ description: 'Jobs or sub-runs so far; of items the most that one of them needed.' }),
    ...times,
    exitCode: numberOrNull('Exit code of the last attempt, where it failed with one.'),
    reason: textOrNull('Why it stands like that.'),
    message: textOrNull('The same for people.'),
    object: textOrNull('Name of the newest Job, or of the record of a sub-run.'),
  },
  { description: 'A step of a run.', $id: 'Step' },
);

export const runDetailSchema = Type.Object(
  {
    ...fields,
    parameters: anything('Values that were given.'),
    steps: Type.Unsafe<readonly Static<typeof stepSchema>[] | null>({ type: ['array', 'null'], items: stepSchema, description: 'In the order of the text; null: they cannot be told (see `notes`).' }),
    callbackUrl: Type.String({ description: 'Where to ask how it gets on: this document.' }),
    notes: Type.Array(Type.String(), { description: 'What its reader should know besides.' }),
  },
  { description: 'A run with its steps, as its record says at this moment.', $id: 'RunDetail' },
);

export const runPageSchema = pageOf(runSchema, 'Newest first.');

export const acceptedSchema = Type.Object(
  {
    name: Type.String({ description: 'Name of the run.' }),
    target,
    callbackUrl: Type.String({ description: 'Where to ask how it gets on.' }),
    waits: Type.Unsafe<{ readonly reason: string; readonly message: string } | null>({
      type: ['object', 'null'],
      properties: { reason: { type: 'string', description: 'As in the page on reasons.' }, message: { type: 'string', description: 'For people.' } },
      required: ['reason', 'message'],
      description: 'What keeps it from starting now, as this replica sees it at this moment: the spec, limits, or other runs; null: nothing that is known here.',
    }),
    notes: Type.Array(Type.String(), { description: 'Why it may have to wait, for people.' }),
  },
  { description: 'A run that is written down: whatever happens now, it is not lost.', $id: 'AcceptedRun' },
);

export const changedSchema = Type.Object(
  {
    name: Type.String({ description: 'Name of the run.' }),
    changed: Type.Boolean({ description: 'false: it was asked for before.' }),
    message: Type.String({ description: 'What came of it.' }),
  },
  { description: 'What came of a command. The controller acts on it as soon as it sees it.', $id: 'ChangedRun' },
);

export type RunBody = Static<typeof runSchema>;
export type StepBody = Static<typeof stepSchema>;
export type RunDetailBody = Static<typeof runDetailSchema>;
