/**
 * Checks a spec before a program writes it, and asks what the controller would do about it first:
 *
 *     node check.ts
 */
import { plan, type Observed } from 'job-chief/plan';
import { parseSpec, specKey, type ParsedSpec } from 'job-chief/spec';
import { version } from 'job-chief';

const spec = (image: string): string => `apiVersion: job-chief/v1
kind: Queue
source: {pgBoss: {connection: main, queue: mails}}
drain: {}
job: {${image}}
`;

console.log(`job-chief ${version}`);
for (const image of ['imagee: acme/mailer:1', 'image: acme/mailer:1']) {
  const parsed = parseSpec({ file: 'mails.yaml', objectName: 'mails', label: 'queue', data: { [specKey]: spec(image) } }, {});
  for (const { position, message, hint } of parsed.problems) console.log(`${position?.file}:${position?.line}:${position?.column}: ${message}${hint === undefined ? '' : ` (${hint})`}`);
  if (parsed.spec) console.log(firstLook(parsed));
}

/** Of a ConfigMap that has just been written, with nothing else in the cluster. */
function firstLook(parsed: ParsedSpec): string {
  const now = Date.now();
  const observed: Observed = {
    key: { kind: 'queue', name: parsed.name },
    claims: [{ parsed, source: { kind: 'configMap', name: 'mails', uid: 'a', createdAt: now, deleting: false, writtenStatus: undefined, writtenState: undefined } }],
    jobs: [],
    orphans: [],
    reservations: [],
    depth: undefined,
    verdict: undefined,
    refusal: undefined,
    explanations: new Map(),
  };
  const { statuses, actions } = plan(observed, { instance: 'default', namespace: 'acme', injection: () => undefined }, now);
  const [first] = statuses;
  return `${first?.status.state} (${first?.status.reason}), ${actions.length} actions`;
}
