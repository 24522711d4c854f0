/** Bodies as text to JSON: no surprises in names, no depth that only a recursion would find. */
import type { Json } from '../../../lib/json.ts';
import { asMessage } from '../../../lib/show.ts';
import { ApiProblem } from './problem.ts';

/** Bytes; more is 413. */
export const largestBody = 1024 * 1024;
const deepest = 64;

/** The value of a body; throws ApiProblem. */
export function parseBody(text: string): Json | undefined {
  if (text.trim() === '') return undefined;
  if (depthOf(text) > deepest) throw new ApiProblem(400, 'InvalidJson', `the body is nested deeper than ${deepest}`);
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new ApiProblem(400, 'InvalidJson', `the body is no JSON: ${asMessage(error)}`);
  }
}

/** Of brackets outside of texts. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[{]|[\]}]/gsu)) {
    if (token === '[' || token === '{') most = Math.max(most, (depth += 1));
    else if (token === ']' || token === '}') depth -= 1;
  }
  return most;
}
