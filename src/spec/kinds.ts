/** How each kind of spec is read: the table that a new kind goes into. */
import type { KindInput, KindReading } from './kind-reading.ts';
import type { Spec } from './parsed.ts';
import { readQueue } from './queue-read.ts';
import { readWorkflow } from './workflow-read.ts';

export const kinds: Readonly<Record<Spec['kind'], (from: KindInput) => KindReading>> = { Queue: readQueue, Workflow: readWorkflow };
