/** Words about runs, and what they look like. */
import type { ObservedRecord, RunPhase } from '../../plan/run/record.ts';
import { isOver } from '../../plan/run/summary.ts';
import type { StepWord } from '../../plan/run/step-views.ts';
import type { Tone, Toned } from './table.ts';

const phaseTones: Readonly<Record<RunPhase, Tone>> = { Queued: 'faint', Running: 'busy', Suspended: 'odd', Succeeded: 'good', Failed: 'bad', Cancelled: 'odd' };

export function phaseCell(phase: RunPhase): Toned {
  return { text: phase, tone: phaseTones[phase] };
}

const stepTones: Readonly<Record<StepWord, Tone>> = {
  Succeeded: 'good', Failed: 'bad', Errored: 'bad', NotStarted: 'bad', Refused: 'bad', Skipped: 'faint', Omitted: 'faint', Cancelled: 'odd',
  Waiting: 'faint', Starting: 'busy', Running: 'busy', Retrying: 'odd', Unknown: 'odd',
};

export function stepCell(word: StepWord): Toned {
  return { text: word, tone: stepTones[word] };
}

const stateTones: ReadonlyMap<string, Tone> = new Map([['Rejected', 'bad'], ['Blocked', 'bad'], ['Superseded', 'odd'], ['Suspended', 'odd'], ['Unknown', 'odd'], ['Running', 'busy'], ['Starting', 'busy'], ['Ending', 'busy'], ['Checking', 'busy']]);

/** Of a spec. */
export function stateCell(state: string): Toned {
  return { text: state, tone: stateTones.get(state) };
}

/** Why the run exists, in a few words. */
export function triggerText({ request }: ObservedRecord): string {
  if (!request) return 'unreadable';
  if (request.rerunOf) return `rerun of ${request.rerunOf.run}`;
  if (request.parent) return `step ${request.parent.step} of ${request.parent.run}`;
  if (request.queue !== undefined) return `message of ${request.queue}`;
  return request.trigger;
}

export function isFinished({ phase }: ObservedRecord): boolean {
  return isOver(phase);
}

/** How a run ended, as it follows its name: `succeeded`, `failed`, `was cancelled`. */
export function endText({ phase }: ObservedRecord): string {
  return phase === 'Cancelled' ? 'was cancelled' : phase.toLowerCase();
}
