/** What would end a wait, for reasons of Queues that lease messages. */
import type { Reason } from '../../plan/reason.ts';
import { byItself, edit, nothing, type Answer, type AnswerFacts } from './answer.ts';

/** What is started for a message. */
const carrier = ({ runs }: AnswerFacts): string => (runs === undefined ? 'Job' : 'run');

export const messageAnswers = {
  QueueListening: (facts) => `nothing: a ${carrier(facts)} starts when a message comes`,
  MessagesRunning: (facts) => `nothing: it goes on until its ${carrier(facts)}s have ended`,
  LeaseTooShort: (facts) => facts.runs !== undefined ? `lower startTimeout or timeout of ${facts.runs}, or ${edit('set settle: onJobCreated', facts)}, or raise the limit that the message names` : `${edit('lower startTimeout or timeout, or set settle: onJobCreated', facts)}, or raise the limit that the message names`,
  MessageReceived: (facts) => `nothing: the ${carrier(facts)} is being created`,
  MessageCompleted: nothing,
  MessageTaken: nothing,
  MessageReturned: byItself('another attempt follows, or what the queue itself does with messages that failed'),
  MessageDead: () => 'mend the cause, then send the message again from the dead-letter queue',
  MessageInvalid: () => 'correct whoever sends such messages: the message says what is wrong',
  MessageKept: (facts) => `nothing: its message gets another ${carrier(facts)}`,
  MessagePresumed: () => 'look whether the message is still in the queue, and if so, why it is not delivered',
  MessageReleased: byItself('the queue hands it out again'),
  MessageUnsettled: () => 'mend what the message names: such as a queue for dead letters that is not there, or a right that is missing',
  PayloadPosted: byItself('its pod starts'),
  PayloadLost: byItself('its message gets another Job when the queue hands it out again'),
  BatchDropped: byItself('its messages are put into another batch'),
} as const satisfies Partial<Record<Reason, Answer>>;
