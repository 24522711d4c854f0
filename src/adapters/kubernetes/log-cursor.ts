/**
 * Where reading a log has come to. The kubelet takes a time in whole seconds as the point to go on from, so what comes
 * again is told by its stamp; lines with equal stamps are told by their number.
 */

export interface LogCursor {
  /** RFC 3339, of the last line. */
  readonly time: string;
  /** Sortable form of `time`. */
  readonly stamp: string;
  /** Lines with this stamp so far. */
  readonly lines: number;
}

/** After one more line. */
export function cursorAt(time: string, before: LogCursor | undefined): LogCursor {
  const stamp = before?.time === time ? before.stamp : stampOf(time);
  return { time, stamp, lines: before?.stamp === stamp ? before.lines + 1 : 1 };
}

/** Asked with the time of each line of a log that is read again: whether the line is a new one. */
export function afterCursor({ stamp, lines }: LogCursor): (time: string) => boolean {
  let seen = 0;
  return (time) => {
    const other = stampOf(time);
    if (other !== stamp) return other > stamp;
    seen += 1;
    return seen > lines;
  };
}

/** Nodes may write their own time zone, and leave trailing zeros out. */
function stampOf(time: string): string {
  const [, seconds = '', fraction = '', zone = ''] = /^([^.Z+]*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  const epoch = Math.floor(Date.parse(`${seconds}${zone}`) / 1000);
  return `${String(epoch).padStart(12, '0')}.${fraction.padEnd(9, '0')}`;
}
