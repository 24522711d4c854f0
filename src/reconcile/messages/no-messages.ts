/** Where no queues are connected from which messages could be leased. */
import type { SettleAnswer } from '../../plan/messages/message.ts';
import type { MessageSource } from '../message-ports.ts';

const message = 'this process leases no messages';
const failed: SettleAnswer = { kind: 'failed', message };

export const noMessages: MessageSource = {
  subscribe: (_source, events) => {
    events.state({ kind: 'closed', reason: 'QueueUnsupported', message });
    return { credit: () => undefined, pause: () => undefined, adopt: () => undefined, abandon: () => undefined, close: () => Promise.resolve() };
  },
  settle: () => Promise.resolve(failed),
  deadLetter: () => Promise.resolve(failed),
  close: () => Promise.resolve(),
};
