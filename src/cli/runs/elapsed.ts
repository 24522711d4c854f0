/** Times between two moments, as people read them in tables. */

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** How long something took: tenths below ten seconds, else the two largest units. Clocks of several machines: never below zero. */
export function elapsed(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  if (time < 9_950) return `${(time / second).toFixed(1)}s`;
  const whole = Math.round(time / second) * second;
  if (whole < 2 * minute) return `${whole / second}s`;
  if (whole < hour) return pair(whole, [minute, 'm'], [second, 's']);
  if (whole < 2 * day) return pair(whole, [hour, 'h'], [minute, 'm']);
  return pair(whole, [day, 'd'], [hour, 'h']);
}

/** How long ago something was, as kubectl has it: one unit, or two where one says too little. */
export function age(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  if (time < 2 * minute) return `${Math.floor(time / second)}s`;
  if (time < 10 * minute) return pair(time, [minute, 'm'], [second, 's']);
  if (time < 3 * hour) return `${Math.floor(time / minute)}m`;
  if (time < 8 * hour) return pair(time, [hour, 'h'], [minute, 'm']);
  if (time < 2 * day) return `${Math.floor(time / hour)}h`;
  if (time < 8 * day) return pair(time, [day, 'd'], [hour, 'h']);
  return `${Math.floor(time / day)}d`;
}

type Unit = readonly [size: number, name: string];

function pair(time: number, [large, one]: Unit, [small, other]: Unit): string {
  const rest = Math.floor((time % large) / small);
  return `${Math.floor(time / large)}${one}${rest === 0 ? '' : `${rest}${other}`}`;
}
