/** How each kind of spec is read: the table that a new kind goes into. */
import type { SupportedKind } from './head.ts';
import type { KindInput, KindReading } from './kind-reading.ts';
import { readLimits } from './limits-read.ts';
import { readQueue } from './queue-read.ts';
import { readRun } from './run-read.ts';
import { readTemplate } from './template-read.ts';
import { readWorkflow } from './workflow-read.ts';

export const kinds: Readonly<Record<SupportedKind, (from: KindInput) => KindReading>> = { Queue: readQueue, Workflow: readWorkflow, Template: readTemplate, Run: readRun, Limits: readLimits };
