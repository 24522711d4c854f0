/** Messages of queues as the API shows them. */
import { Type, type Static } from 'typebox';
import { messageStates } from '../../../plan/messages/message-rows.ts';
import { oneOf, textOrNull, timeOrNull } from './fields.ts';

const whole = (description: string) => Type.Unsafe<number | null>({ type: ['integer', 'null'], description });

export const messageSchema = Type.Object(
  {
    id: Type.String({ description: 'Id of the message.' }),
    source: Type.Object({ type: Type.String({ description: '`pgBoss`, `amqp` or `sqs`.' }), connection: Type.String({ description: 'Connection of the operator that leads to it.' }), queue: Type.String({ description: 'Name of the queue there.' }) }, { description: 'Where it came from.' }),
    state: oneOf(messageStates, '`starting` or `running`: its Job is. `ended`: its Job is over, and the queue is to be told. Else what the queue was told last.'),
    from: oneOf(['job', 'history'], '`job`: its Job, or its run, is there. `history`: it is known by the history alone.'),
    job: textOrNull('Name of the Job; null: it never got one, or a run stands for it.'),
    run: textOrNull('Name of the run that it started.'),
    index: whole('Its index in a Job for several messages.'),
    serial: whole('Jobs that there were for it, this one included.'),
    attempt: whole('The same without those that did not start.'),
    outcome: textOrNull('What came of the Job; null while it is not over.'),
    reason: textOrNull('Of the Job; `MessageInvalid`: it got none, for what is in it.'),
    detail: textOrNull('Why it got none, for people.'),
    exitCode: whole('Of the container that failed first.'),
    enqueuedAt: timeOrNull('When it was published, by the clock of the queue.'),
    leasedAt: timeOrNull('When it came into hand.'),
    createdAt: timeOrNull('When the Job was created.'),
    startedAt: timeOrNull('When Kubernetes took the Job up.'),
    finishedAt: timeOrNull('When the Job was over.'),
    settledAt: timeOrNull('When the queue was told.'),
  },
  { description: 'What is known of a message, by its Job while that is there, and by the history after that. Nothing of what is in it.', $id: 'Message' },
);

const history = {
  historySince: timeOrNull('From when on the history has every message that was settled, as far as job-chief ran; null: there is none, or nobody can read it.'),
  historyProblem: textOrNull('Why there is none, or why it cannot be read.'),
};

export const messagePageSchema = Type.Object({
  items: Type.Array(messageSchema, { description: 'The last Job of each, the newest first.' }),
  continue: textOrNull('To be sent as `continue` for what follows; null: that is all.'),
  ...history,
});

export const messageDetailSchema = Type.Object({
  id: Type.String({ description: 'Id of the message.' }),
  items: Type.Array(messageSchema, { description: 'Each Job of it that is there, or the last one by the history; the newest first.' }),
  ...history,
});

export type MessageBody = Static<typeof messageSchema>;
