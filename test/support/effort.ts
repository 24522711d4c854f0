/** How much those tests do that draw their cases: little in `npm run verify`, much in hack/test, which sets JOB_CHIEF_SEEDS. */
const given = process.env['JOB_CHIEF_SEEDS'];
const few = 20;

/** Stormy days of queues; of workflows there are some for every ten of them. */
export const seeds = Number(given ?? few);
/** Where they begin. */
export const firstSeed = Number(process.env['JOB_CHIEF_FIRST_SEED'] ?? 1);

/** Runs of a property: so many, or a quarter of them before a commit. */
export function runs(many: number): number {
  return given === undefined ? Math.ceil(many / 4) : many;
}
