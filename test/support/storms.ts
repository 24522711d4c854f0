/** All kinds of stormy days, by the word for them. */
import { stormOfMessages } from './message-storm.ts';
import { stormOfQueues } from './queue-storm.ts';
import { stormOfRequests } from './request-storm.ts';
import type { StormOptions, StormResult } from './storm.ts';
import { stormOfWorkflows } from './workflow-storm.ts';

export const storms = { queues: stormOfQueues, messages: stormOfMessages, workflows: stormOfWorkflows, requests: stormOfRequests } as const satisfies Record<string, (seed: number, options: StormOptions) => Promise<StormResult>>;
export type StormKind = keyof typeof storms;
