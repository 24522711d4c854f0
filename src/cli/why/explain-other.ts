/** Specs that start nothing by themselves, and texts that are no spec: what the controller says of them, and what is wrong. */
import { rejected } from '../../plan/status.ts';
import type { LiveSpec } from '../live/live-cluster.ts';
import { specTitle } from '../live/spec-key.ts';
import { definitionOf, losersOf, undefinedSpec } from './explain-spec.ts';
import { link, type Link } from './link.ts';
import { unblockOf, type View } from './view.ts';

export function explainOther(view: View, key: LiveSpec['key'], { kind, name }: Pick<LiveSpec, 'kind' | 'name'>): Link {
  const definition = definitionOf(view, key);
  const { winner } = definition;
  if (!winner) return undefinedSpec(view, { kind, name }, []);
  const { word, claim } = winner;
  const head = { subject: specTitle(kind, name), because: losersOf(view, definition) };
  if (!claim.parsed.spec) {
    const { state, reason, message } = rejected(claim.parsed.problems);
    return link({ ...head, state, reason, message, unblock: unblockOf(view, winner, reason) });
  }
  if (!word || word.hash !== claim.parsed.hash) return link({ ...head, state: 'Unknown', reason: 'SpecChecking', message: 'no controller has said anything about the text as it is now', unblock: unblockOf(view, winner, 'SpecChecking') });
  return link({ ...head, state: word.state, reason: word.reason ?? '', message: word.message, source: { controller: word.at }, unblock: word.reason === undefined ? '' : unblockOf(view, winner, word.reason) });
}
