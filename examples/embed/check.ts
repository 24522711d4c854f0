/**
 * Checks a spec before a program writes it, and asks what would be decided about a queue that nobody has looked at yet:
 *
 *     node check.ts
 */
import { plan } from 'job-chief/plan';
import { parseSpec, specKey, type Problem } from 'job-chief/spec';
import { version } from 'job-chief';

const text = `apiVersion: job-chief/v1
kind: Queue
source: {pgBoss: {connection: main, queue: mails}}
drain: {}
job: {imagee: acme/mailer:1}
`;

const { kind, spec, problems } = parseSpec({ file: 'mails.yaml', objectName: 'mails', label: 'queue', data: { [specKey]: text } }, {});
const place = ({ position }: Problem): string => (position ? `${position.file}:${position.line}:${position.column}` : 'mails.yaml');
console.log(`job-chief ${version}: ${kind ?? 'no spec'}${spec ? '' : ', not valid'}`);
for (const problem of problems) console.log(`${place(problem)}: ${problem.message}${problem.hint === undefined ? '' : ` (${problem.hint})`}`);
console.log(`planning is a function of ${plan.length} arguments`);
