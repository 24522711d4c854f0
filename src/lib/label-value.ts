/** Any text as the value of a Kubernetes label. */
import { digest } from './digest.ts';

const longest = 63;
const valid = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const hashLength = 10;

/**
 * The text itself where it is a legal, non-empty label value; else its legal characters, cut, with a hash of the whole
 * text behind them, so that different texts stay different.
 */
export function labelValue(text: string): string {
  if (text.length <= longest && valid.test(text)) return text;
  const head = text.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, longest - hashLength - 1).replace(/^[._-]+|[._-]+$/g, '');
  const hash = digest(text, hashLength);
  return head === '' ? hash : `${head}-${hash}`;
}
