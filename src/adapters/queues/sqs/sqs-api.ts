/** The requests that job-chief makes to SQS. Only here is the SDK used; it is loaded when the first client is made. */
import type { ChangeMessageVisibilityBatchCommandOutput, Message as SqsMessage, MessageAttributeValue, QueueAttributeName, SQSClient } from '@aws-sdk/client-sqs';
import type { Clock } from '../../../lib/clock.ts';
import type { SqsSettings } from '../sqs-settings.ts';
import { explain, SqsError } from './sqs-error.ts';

export type { SqsMessage, MessageAttributeValue };

/** All reject with SqsError only. Times are in seconds, as SQS counts. */
export interface SqsApi {
  urlOf(queue: string): Promise<string>;
  attributes(url: string, names: readonly QueueAttributeName[]): Promise<Readonly<Record<string, string>>>;
  /** Waits for up to `wait` seconds for the first message. What came while `signal` aborted it stays invisible for `hidden` seconds. */
  receive(url: string, options: { readonly most: number; readonly wait: number; readonly hidden: number }, signal: AbortSignal): Promise<readonly SqsMessage[]>;
  remove(url: string, handle: string): Promise<void>;
  /** From now on invisible for so long; 0: visible at once. */
  hide(url: string, handle: string, seconds: number): Promise<void>;
  /** At most ten. Gives what went wrong with each, in their order. */
  hideMany(url: string, entries: readonly HideEntry[]): Promise<readonly (SqsError | undefined)[]>;
  send(url: string, message: OutgoingMessage): Promise<void>;
  close(): void;
}

export interface HideEntry {
  readonly handle: string;
  readonly seconds: number;
}

export interface OutgoingMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  /** FIFO queues only. */
  readonly fifo: { readonly group: string; readonly deduplication: string } | undefined;
}

/** Milliseconds in which an answer must be there; a long poll has its waiting time besides. */
const answerTimeout = 10_000;
/** Each waiting poll has a connection of its own. */
const mostConnections = 1_000;

type Sdk = typeof import('@aws-sdk/client-sqs');

/** What fails by the network or by throttling is asked once more by the SDK, after a short pause. */
export async function newSqsApi(settings: SqsSettings, clock: Clock): Promise<SqsApi> {
  const sdk = await import('@aws-sdk/client-sqs');
  const agent = { keepAlive: true, maxSockets: mostConnections };
  const client = new sdk.SQSClient({
    region: settings.region,
    ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
    ...(settings.credentials && { credentials: settings.credentials }),
    // A queue's URL names the host that its owner reaches it by, which need not be ours (VPC endpoints, other implementations).
    useQueueUrlAsEndpoint: settings.endpoint === undefined,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 5_000, httpAgent: agent, httpsAgent: agent },
  });
  return new ClientApi(sdk, client, settings, clock);
}

class ClientApi implements SqsApi {
  readonly #sdk: Sdk;
  readonly #client: SQSClient;
  readonly #settings: SqsSettings;
  readonly #clock: Clock;

  constructor(...[sdk, client, settings, clock]: [Sdk, SQSClient, SqsSettings, Clock]) {
    this.#sdk = sdk;
    this.#client = client;
    this.#settings = settings;
    this.#clock = clock;
  }

  async urlOf(queue: string): Promise<string> {
    const { QueueUrl: url } = await this.#ask((abortSignal) => this.#client.send(new this.#sdk.GetQueueUrlCommand({ QueueName: queue }), { abortSignal }));
    if (url === undefined) throw new SqsError('QueueNotFound', `SQS knows no URL of queue "${queue}"`);
    return url;
  }

  async attributes(url: string, names: readonly QueueAttributeName[]): Promise<Readonly<Record<string, string>>> {
    const { Attributes: attributes } = await this.#ask((abortSignal) => this.#client.send(new this.#sdk.GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...names] }), { abortSignal }));
    return attributes ?? {};
  }

  async receive(url: string, { most, wait, hidden }: { most: number; wait: number; hidden: number }, signal: AbortSignal): Promise<readonly SqsMessage[]> {
    const command = new this.#sdk.ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: most,
      WaitTimeSeconds: wait,
      VisibilityTimeout: hidden,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
    });
    const { Messages: messages } = await this.#ask((abortSignal) => this.#client.send(command, { abortSignal }), { timeout: wait * 1_000 + answerTimeout, signal });
    return messages ?? [];
  }

  async remove(url: string, handle: string): Promise<void> {
    await this.#ask((abortSignal) => this.#client.send(new this.#sdk.DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: handle }), { abortSignal }));
  }

  async hide(url: string, handle: string, seconds: number): Promise<void> {
    await this.#ask((abortSignal) => this.#client.send(new this.#sdk.ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle: handle, VisibilityTimeout: seconds }), { abortSignal }));
  }

  async hideMany(url: string, entries: readonly HideEntry[]): Promise<readonly (SqsError | undefined)[]> {
    const batch = entries.map(({ handle, seconds }, index) => ({ Id: String(index), ReceiptHandle: handle, VisibilityTimeout: seconds }));
    const answer = await this.#ask((abortSignal) => this.#client.send(new this.#sdk.ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries: batch }), { abortSignal }));
    return entries.map((_, index) => this.#resultOf(answer, String(index)));
  }

  async send(url: string, { body, attributes, fifo }: OutgoingMessage): Promise<void> {
    const command = new this.#sdk.SendMessageCommand({
      QueueUrl: url,
      MessageBody: body,
      MessageAttributes: { ...attributes },
      ...(fifo && { MessageGroupId: fifo.group, MessageDeduplicationId: fifo.deduplication }),
    });
    await this.#ask((abortSignal) => this.#client.send(command, { abortSignal }));
  }

  close(): void {
    this.#client.destroy();
  }

  #resultOf({ Successful: successful = [], Failed: failed = [] }: ChangeMessageVisibilityBatchCommandOutput, id: string): SqsError | undefined {
    if (successful.some(({ Id }) => Id === id)) return undefined;
    const entry = failed.find(({ Id }) => Id === id);
    const problem = Object.assign(new Error(entry?.Message ?? 'the answer does not tell'), { name: entry?.Code ?? 'NoAnswer' });
    return explain(problem, this.#settings);
  }

  /** Bounded in time, whatever the SDK, its credentials or the network wait for. */
  async #ask<Answer>(send: (signal: AbortSignal) => Promise<Answer>, { timeout = answerTimeout, signal }: { timeout?: number; signal?: AbortSignal } = {}): Promise<Answer> {
    const over = new AbortController();
    const timer = this.#clock.timer(timeout, () => over.abort());
    const stop = (): void => over.abort();
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      return await Promise.race([send(over.signal), aborted(over.signal)]);
    } catch (error) {
      throw explain(error, this.#settings);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', stop);
    }
  }
}

/** Rejects when the signal aborts: looking for credentials does not heed it. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(Object.assign(new Error('the request was given up'), { name: 'AbortError' }));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
