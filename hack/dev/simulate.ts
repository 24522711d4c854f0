/** `hack/simulate SEED [--high-availability]`: one stormy day, told line by line; exit code 1 when something was wrong. */
import { chaos } from '../../test/support/chaos.ts';

const seed = Number(process.argv[2]);
if (!Number.isInteger(seed)) {
  console.error('usage: hack/simulate SEED [--high-availability]');
  process.exit(2);
}
const result = await chaos(seed, { highAvailability: process.argv.includes('--high-availability') });
console.log(result.story.join('\n'));
console.error(result.problems.length === 0 ? `seed ${seed}: nothing wrong` : result.problems.join('\n'));
process.exitCode = result.problems.length === 0 ? 0 : 1;
