/**
 * Tries a connection of SQS step by step, from the folder to a queue, and says for each what works and what is missing. A
 * later step runs only where the one before worked.
 */
import { lookup } from 'node:dns/promises';
import { asError, type Clock } from '../../../lib/clock.ts';
import type { ConnectionDefinition } from '../../../spec/connection.ts';
import { readConnection } from '../connections.ts';
import type { SqsSettings } from '../sqs-settings.ts';
import { newSqsApi, type SqsApi } from './sqs-api.ts';
import { SqsError } from './sqs-error.ts';

export const sqsCheckSteps = ['folder', 'dns', 'login', 'queue'] as const;
export type SqsCheckStep = (typeof sqsCheckSteps)[number];

/** What one step came to. `warning`: it does not work, and job-chief can do without. */
export interface SqsCheckResult {
  readonly step: SqsCheckStep;
  readonly result: 'ok' | 'warning' | 'failed' | 'skipped';
  /** What was found, or what is wrong; never a secret. */
  readonly detail: string;
  /** What to do about it, such as a statement for a policy. */
  readonly remedy?: string;
  readonly milliseconds: number;
}

export interface SqsCheckOptions {
  readonly definition: ConnectionDefinition;
  /** Name or URL of a queue to look at; undefined: none. */
  readonly queue: string | undefined;
  readonly clock: Clock;
  /** Called when a step begins. */
  readonly onStep: (step: SqsCheckStep) => void;
}

/** What a step found, to be handed to the next. */
interface Context {
  settings?: SqsSettings;
  api?: SqsApi;
}

type Outcome = Omit<SqsCheckResult, 'step' | 'milliseconds'>;
const ok = (detail: string): Outcome => ({ result: 'ok', detail });
const skipped = (detail: string): Outcome => ({ result: 'skipped', detail });

/** Runs the steps in order and yields each result; stops after the first failure. */
export async function* checkSqs(options: SqsCheckOptions): AsyncGenerator<SqsCheckResult> {
  const context: Context = {};
  try {
    for (const step of sqsCheckSteps) {
      options.onStep(step);
      const began = options.clock.monotonic();
      const outcome = await run(() => steps[step](context, options));
      yield { step, ...outcome, milliseconds: Math.round(options.clock.monotonic() - began) };
      if (outcome.result === 'failed') return;
    }
  } finally {
    context.api?.close();
  }
}

async function run(step: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await step();
  } catch (error) {
    return { result: 'failed', detail: asError(error).message };
  }
}

const steps: Readonly<Record<SqsCheckStep, (context: Context, options: SqsCheckOptions) => Promise<Outcome>>> = {
  folder: async (context, { definition }) => {
    const reading = await readConnection(definition);
    if (reading.kind === 'broken') throw new Error(reading.message);
    if (reading.settings.type !== 'sqs') throw new Error(`the connection is of type ${reading.settings.type}, not sqs`);
    context.settings = reading.settings;
    const own = reading.settings.credentials ? 'credentials of its own' : 'no credentials: those that the pod has';
    const has = `${definition.folder} has ${[...reading.files.values()].join(', ')}; ${own}`;
    return reading.unknownFiles.length === 0 ? ok(has) : { result: 'warning', detail: `${has}; not used: ${reading.unknownFiles.join(', ')}` };
  },
  dns: async (context) => {
    const { region, endpoint } = settingsOf(context);
    const host = endpoint === undefined ? hostOf(region) : new URL(endpoint).hostname.replace(/^\[|\]$/g, '');
    const addresses = await lookup(host, { all: true });
    return ok(`${host} is ${addresses.map(({ address }) => address).join(', ')}`);
  },
  login: async (context, { clock }) => {
    context.api = await newSqsApi(settingsOf(context), clock);
    return asked(context.api, absentQueue, {
      found: () => ok('the credentials are accepted'),
      // Who may not ask for queues by name was known by name.
      refused: (error) => (/AccessDenied|not authorized/i.test(error.message) ? ok('the credentials are accepted; they are limited to some queues') : undefined),
    });
  },
  queue: async (context, { queue }) => {
    const { api } = context;
    if (queue === undefined || !api) return skipped('no queue was named');
    const url = /^https?:/.test(queue) ? queue : await api.urlOf(queue);
    const attributes = await api.attributes(url, ['ApproximateNumberOfMessages', 'VisibilityTimeout', 'RedrivePolicy']).catch((error: unknown) => asError(error));
    if (attributes instanceof Error) return { result: 'failed', detail: attributes.message, ...(isForbidden(attributes) && { remedy: 'allow sqs:GetQueueUrl and sqs:GetQueueAttributes; perMessage also needs sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility, and sqs:SendMessage on the queue of deadLetter' }) };
    const redrive = attributes['RedrivePolicy'] === undefined ? 'no redrive policy: what fails comes again without end' : 'a redrive policy';
    return ok(`${url}: ${attributes['ApproximateNumberOfMessages'] ?? '?'} messages are visible, visibility timeout ${attributes['VisibilityTimeout'] ?? '?'} s, ${redrive}`);
  },
};

/** Asked for to see what is said about who asks. */
const absentQueue = 'job-chief-check-connection';

interface Answers {
  readonly found: () => Outcome;
  readonly refused: (error: SqsError) => Outcome | undefined;
}

async function asked(api: SqsApi, queue: string, { found, refused }: Answers): Promise<Outcome> {
  try {
    await api.urlOf(queue);
    return found();
  } catch (error) {
    if (!(error instanceof SqsError)) throw error;
    if (error.problem === 'QueueNotFound') return found();
    const outcome = error.problem === 'QueueForbidden' ? refused(error) : undefined;
    if (outcome === undefined) throw error;
    return outcome;
  }
}

function isForbidden(error: Error): boolean {
  return error instanceof SqsError && error.problem === 'QueueForbidden';
}

function hostOf(region: string): string {
  return `sqs.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

function settingsOf({ settings }: Context): SqsSettings {
  if (!settings) throw new Error('the folder was not read');
  return settings;
}
