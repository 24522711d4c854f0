/** What would end a wait, for reasons of Queues that lease messages. */
import type { Reason } from '../../plan/reason.ts';
import { byItself, edit, nothing, type Answer } from './answer.ts';

export const messageAnswers = {
  QueueListening: byItself('a Job starts when a message comes'),
  MessagesRunning: byItself('it goes on until its Jobs have ended'),
  LeaseTooShort: (facts) => `${edit('lower startTimeout or timeout, or set settle: onJobCreated', facts)}, or raise the limit that the message names`,
  MessageReceived: byItself('the Job is being created'),
  MessageCompleted: nothing,
  MessageTaken: nothing,
  MessageReturned: byItself('another attempt follows, or what the queue itself does with messages that failed'),
  MessageDead: () => 'mend the cause, then send the message again from the dead-letter queue',
  MessageInvalid: () => 'correct whoever sends such messages: the message says what is wrong',
  MessageKept: byItself('its message gets another Job'),
  MessagePresumed: () => 'look whether the message is still in the queue, and if so, why it is not delivered',
  MessageReleased: byItself('the queue hands it out again'),
  MessageUnsettled: () => 'mend what the message names: such as a queue for dead letters that is not there, or a right that is missing',
  PayloadPosted: byItself('its pod starts'),
  PayloadLost: byItself('its message gets another Job when the queue hands it out again'),
  BatchDropped: byItself('its messages are put into another batch'),
} as const satisfies Partial<Record<Reason, Answer>>;
