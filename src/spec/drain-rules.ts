/** Fields of a source that mean nothing to a Queue with `drain`: job-chief only counts its messages. */
import { objectAt, type JsonObject } from '../lib/json.ts';
import type { Finding } from './report.ts';

/** Fields of `source.amqp` that say how messages are leased, and what there is instead. */
const leasingFields = {
  declare: ['declares no queue', 'let the workers declare it, or use perMessage'],
  messageId: ['takes none of them', 'remove it, or use perMessage'],
} as const;

/** What is said of leasing where nothing is leased. */
export function leasingFindings(spec: JsonObject): Finding[] {
  if (!Object.hasOwn(spec, 'drain')) return [];
  const amqp = objectAt(objectAt(spec, 'source'), 'amqp');
  return Object.entries(leasingFields)
    .filter(([field]) => Object.hasOwn(amqp, field))
    .map(([field, [instead, hint]]) => ({ code: 'ConflictingFields', message: `"${field}" means nothing with drain: job-chief counts the messages and ${instead}`, path: ['source', 'amqp', field], part: 'key', hint }));
}
