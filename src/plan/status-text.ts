/** The status as it is written down: JSON, in lines. */
import type { Status } from './action.ts';

/** A status annotation has no more bytes. */
export const mostStatusBytes = 4096;

/**
 * One line for each field, and for each parameter: `kubectl describe` shows a line of an annotation up to 138 characters,
 * and of one that is a single line nothing more than that.
 */
export function statusText({ parameters, ...status }: Status): string {
  const fields = Object.entries(status).filter(([, value]) => value !== undefined).map(([name, value]) => field(name, JSON.stringify(value)));
  return lines('{', [...fields, ...(parameters ? [field('parameters', lines('{', Object.entries(parameters).map(([name, text]) => field(name, JSON.stringify(text))), '}'))] : [])], '}');
}

/** Bytes that are left in a status of that much. */
export function roomIn(status: Status): number {
  return mostStatusBytes - Buffer.byteLength(statusText(status));
}

function field(name: string, value: string): string {
  return `${JSON.stringify(name)}:${value}`;
}

function lines(open: string, all: readonly string[], close: string): string {
  return `${open}\n${all.join(',\n')}\n${close}`;
}
