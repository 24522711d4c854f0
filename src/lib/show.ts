/** Values as messages quote them. */
const longest = 60;

/** The value as JSON, cut where it is long. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

/** The words as `"a", "b" or "c"`. */
export function anyOf(words: readonly unknown[]): string {
  const quoted = words.map(shown);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.slice(-1).join('')}`;
}

/** What anything thrown has to say. */
export function asMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
