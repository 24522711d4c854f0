import { VirtualClock } from '../../../src/simulation/clock.ts';
import { MessageBroker } from '../../../src/simulation/message-broker.ts';
import type { MessageQueueOptions } from '../../../src/simulation/message-rules.ts';
import { SimulatedMessages } from '../../../src/simulation/message-source.ts';
import { SimulatedProcess } from '../../../src/simulation/process.ts';
import { Random } from '../../../src/simulation/random.ts';
import type { QueueSource } from '../../../src/spec/queue-source.ts';
import { messageSourceContract } from './message-source.contract.ts';
import type { Capabilities, FoundDead, MakeSubject, MessageSourceUnderTest, SubjectOptions } from './message-source-subject.ts';

interface Profile {
  readonly options: MessageQueueOptions;
  readonly source: QueueSource;
  readonly can: Capabilities;
}

const text = { binary: true, empty: true, largest: 256 * 1024 };
const profiles: Readonly<Record<string, Profile>> = {
  'a simulated queue of pg-boss': {
    options: { kind: 'pgBoss', limit: 60_000 },
    source: { type: 'pgBoss', connection: 'main', queue: 'work', schema: undefined },
    can: { settlesByReceipt: true, adopts: 'message', countsDeliveries: true, releaseCounts: false, afterFail: 'comesAgain', deadLettersOnce: true, headers: false, bodies: { binary: false, empty: false, largest: text.largest }, tellsEnqueued: true, renews: false },
  },
  'a simulated queue of RabbitMQ': {
    options: { kind: 'amqp', deadLetter: 'own-dead' },
    source: { type: 'amqp', connection: 'main', queue: 'work', vhost: undefined, declare: undefined, messageId: undefined },
    can: { settlesByReceipt: false, adopts: 'nothing', countsDeliveries: true, releaseCounts: true, afterFail: 'goesToOwnDeadLetters', deadLettersOnce: false, headers: true, bodies: text, tellsEnqueued: true, renews: false },
  },
  'a simulated queue of SQS': {
    options: { kind: 'sqs', visibility: 20_000 },
    source: { type: 'sqs', connection: 'main', queue: 'work', url: undefined },
    can: { settlesByReceipt: true, adopts: 'lease', countsDeliveries: true, releaseCounts: true, afterFail: 'comesAgain', deadLettersOnce: false, headers: true, bodies: text, tellsEnqueued: true, renews: true },
  },
};

class Subject implements MessageSourceUnderTest {
  readonly queue: QueueSource;
  readonly can: Capabilities;
  readonly deadLetter = { queue: 'dead' };
  readonly noDeadLetter = { queue: 'nobody-made-this' };
  readonly #clock = new VirtualClock();
  readonly #broker = new MessageBroker({ clock: this.#clock, random: new Random(1) });
  readonly #options: MessageQueueOptions;
  readonly #processes: SimulatedProcess[] = [];
  #moving: Promise<void> | undefined;

  constructor({ options, source, can }: Profile, { missing }: SubjectOptions) {
    this.queue = source;
    this.can = can;
    this.#options = options;
    this.#broker.forgetConnection('nowhere');
    for (const name of ['dead', 'own-dead']) this.#broker.create(name, { kind: options.kind });
    if (missing !== true) this.#broker.create('work', options);
  }

  process(): SimulatedMessages {
    const transport = { request: () => Promise.reject(new Error('no API server')), stream: () => Promise.reject(new Error('no API server')) };
    const process = new SimulatedProcess({ clock: this.#clock, transport });
    this.#processes.push(process);
    return new SimulatedMessages({ broker: this.#broker, process });
  }

  now(): number {
    return this.#clock.now();
  }

  async pass(): Promise<void> {
    await (this.#moving ?? this.#run(20));
  }

  async #run(milliseconds: number): Promise<void> {
    while (this.#moving) await this.#moving;
    this.#moving = this.#clock.runFor(milliseconds).finally(() => { this.#moving = undefined; });
    await this.#moving;
  }

  send(messages: Parameters<MessageSourceUnderTest['send']>[0]): Promise<readonly string[]> {
    return Promise.resolve((this.#broker.find('work')?.send(...messages) ?? []).map(({ message }) => message.id));
  }

  waiting(): Promise<number> {
    return Promise.resolve(this.#broker.find('work')?.ready ?? 0);
  }

  dead(): Promise<readonly FoundDead[]> {
    return Promise.resolve((this.#broker.find('dead')?.messages ?? []).map(({ message, failure }) => ({
      messageId: message.id, body: message.body, headers: message.headers, reason: failure?.reason ?? '', message: failure?.message ?? '', job: failure?.job, attempt: failure?.attempt ?? 0,
    })));
  }

  ownDead(): Promise<readonly string[]> {
    return Promise.resolve((this.#broker.find('own-dead')?.messages ?? []).map(({ message }) => message.id));
  }

  async endLeases(): Promise<void> {
    if (this.#options.kind === 'pgBoss') await this.#run(this.#options.limit ?? 0);
    else if (this.#options.kind === 'amqp') this.#broker.cut();
    else await this.#loseHandles();
  }

  async outliveLease(): Promise<void> {
    await this.#run(90_000);
  }

  create(): Promise<void> {
    this.#broker.create('work', this.#options);
    return Promise.resolve();
  }

  outage(): Promise<() => Promise<void>> {
    this.#broker.setDown(true);
    return Promise.resolve(() => {
      this.#broker.setDown(false);
      return Promise.resolve();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) process.kill();
    return Promise.resolve();
  }

  /** Renewing fails until the visibility timeout is over. */
  async #loseHandles(): Promise<void> {
    this.#broker.faults = (call) => (call === 'renew' ? 'before' : undefined);
    await this.#run(25_000);
    this.#broker.faults = () => undefined;
  }
}

for (const [name, profile] of Object.entries(profiles)) {
  const make: MakeSubject = (options = {}) => Promise.resolve(new Subject(profile, options));
  messageSourceContract(name, make);
}
