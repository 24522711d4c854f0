/** `hack/simulate SEED`: one stormy day, told line by line; exit code 1 when something was wrong. */
import { parseArgs } from 'node:util';
import { storms, type StormKind } from '../../test/support/storms.ts';

const usage = `usage: hack/simulate SEED [--messages | --workflows | --requests] [--high-availability]

Replays one stormy day of the whole controller on a simulated cluster, drawn from the number SEED: the same each time.

  --messages           of queues whose messages job-chief leases, in place of queues that are drained
  --workflows          of workflows
  --requests           of requests for runs of templates
  --high-availability  with two controllers that share a Lease
`;

function given(): { readonly seed: number; readonly of: StormKind; readonly highAvailability: boolean } | undefined {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const { positionals, values } = parseArgs({ allowPositionals: true, options: { messages: flag, workflows: flag, requests: flag, 'high-availability': flag } });
    const kinds = (['messages', 'workflows', 'requests'] as const).filter((kind) => values[kind]);
    const [text = '', ...more] = positionals;
    if (!/^\d+$/u.test(text) || more.length > 0 || kinds.length > 1) return undefined;
    return { seed: Number(text), of: kinds[0] ?? 'queues', highAvailability: values['high-availability'] };
  } catch {
    return undefined;
  }
}

const day = given();
if (!day) {
  console.error(usage);
  process.exit(2);
}
const { seed, of, highAvailability } = day;
const { story, problems } = await storms[of](seed, { highAvailability });
console.log(story.join('\n'));
console.error(problems.length === 0 ? `seed ${seed}: nothing wrong` : problems.join('\n'));
process.exitCode = problems.length === 0 ? 0 : 1;
