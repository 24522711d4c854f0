/** `hack/simulate SEED [--workflows | --requests] [--high-availability]`: one stormy day, told line by line; exit code 1 when something was wrong. */
import { chaos } from '../../test/support/chaos.ts';
import { stormOfRequests } from '../../test/support/request-storm.ts';
import { stormOfWorkflows } from '../../test/support/workflow-storm.ts';

const seed = Number(process.argv[2]);
if (!Number.isInteger(seed)) {
  console.error('usage: hack/simulate SEED [--workflows | --requests] [--high-availability]');
  process.exit(2);
}
const day = process.argv.includes('--workflows') ? stormOfWorkflows : process.argv.includes('--requests') ? stormOfRequests : chaos;
const result = await day(seed, { highAvailability: process.argv.includes('--high-availability') });
console.log(result.story.join('\n'));
console.error(result.problems.length === 0 ? `seed ${seed}: nothing wrong` : result.problems.join('\n'));
process.exitCode = result.problems.length === 0 ? 0 : 1;
