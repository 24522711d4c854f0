/** What users write as `retry`: the same wherever something may be tried again. */
import { Type, type TInteger, type TOptional } from 'typebox';
import { duration, integer } from './schema-fields.ts';

const exitCode = Type.Integer({ minimum: 1, maximum: 255 });
const exitCodeList = (description: string) => Type.Optional(Type.Array(exitCode, { description, minItems: 1, maxItems: 255 }));

const exitCodes = Type.Optional(
  Type.Object(
    {
      retry: exitCodeList('Only these exit codes are tried again.'),
      fail: exitCodeList('These exit codes are final, all others are tried again.'),
    },
    { additionalProperties: false, description: 'Which exit codes are worth another attempt: exactly one of retry and fail. What failed without an exit code (evicted, never started) always is.', oneOf: [{ required: ['retry'] }, { required: ['fail'] }] },
  ),
);

const growth = (description: string) => Type.Optional(Type.Number({ description, default: 2, minimum: 1, maximum: 10 }));

const onOOM = Type.Optional(
  Type.Object(
    {
      factor: growth('The next attempt gets so many times the memory.'),
      maxMemory: Type.Unsafe<string | number>({
        type: ['string', 'number'],
        pattern: '^[0-9]+(\\.[0-9]+)?([KMGTPE]i|[kMGTPE])?$',
        description: 'Most memory of an attempt, as a quantity such as 8Gi.',
        errorMessage: 'must be an amount of memory such as "512Mi" or "8Gi"',
      }),
    },
    { additionalProperties: false, description: 'After a container was killed for its memory, the next attempt gets more. Only containers with a memory limit.' },
  ),
);

/** `retry`. */
export const retrySchema = Type.Object(
  {
    attempts: Type.Integer({ description: 'Attempts in all, the first one counted.', minimum: 1, maximum: 100 }),
    within: duration({ description: 'No attempt starts later than this after the start of the first. Without it there is no such limit.', min: '1s', max: '365d' }),
    delay: duration({ description: 'Wait after the first attempt that failed.', default: '10s', min: '0s', max: '24h' }),
    factor: growth('Each further wait is so many times the one before.'),
    maxDelay: duration({ description: 'Longest wait between two attempts.', default: '5m', min: '0s', max: '24h' }),
    exitCodes,
    onOOM,
  },
  { additionalProperties: false, description: 'How often, and after what, the work is tried again, each time as a new Job. Without it there is one attempt.' },
);

/** Longest time from the start of a Job until one of its pods runs. */
export const startTimeout = duration({ description: 'Longest time from the start of a Job until one of its pods runs.', default: '15m', min: '1s', max: '24h' });
/** A whole number of things at once. */
export const atOnce = (description: string): TOptional<TInteger> => integer({ description, min: 1, max: 10_000 });
