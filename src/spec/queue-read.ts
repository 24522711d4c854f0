/** Reads a Queue: schema, rules, build. */
import { messageQueueNotes, queueNotes } from './job-refusals.ts';
import { withoutHead, type KindInput, type KindReading } from './kind-reading.ts';
import { buildQueue } from './queue-build.ts';
import { queueFindings } from './queue-rules.ts';
import { queueJsonSchema } from './queue-schema.ts';
import { schemaFindings } from './schema-findings.ts';
import { validator } from './validate.ts';

const errorsOf = validator(queueJsonSchema);

export function readQueue({ value, input, environment }: KindInput): KindReading {
  const notes = Object.hasOwn(value, 'perMessage') || Object.hasOwn(value, 'perBatch') ? messageQueueNotes : queueNotes;
  return {
    findings: [...withoutHead(schemaFindings(errorsOf(value), value, notes)), ...queueFindings(value, environment)],
    files: [],
    build: (identity) => buildQueue(value, identity, input, environment),
  };
}
