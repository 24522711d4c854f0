/** Awaits what will hold: asks again until the assertions pass, and fails with the last reason. */
const pause = 250;

/** A busy machine takes its time; what never comes is seen in the dump that follows. */
export const patience = 90_000;

export async function eventually<T>(check: () => T | Promise<T>, timeout = patience): Promise<T> {
  const end = performance.now() + timeout;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw new Error(`not within ${Math.round(timeout / 1000)} s: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Fails as soon as the assertions do not hold, for as long as `during` runs. */
export async function always<T>(check: () => void | Promise<void>, during: Promise<T>): Promise<T> {
  const over = during.then(() => true, () => true);
  do await check();
  while (!(await Promise.race([over, new Promise<boolean>((resolve) => setTimeout(() => { resolve(false); }, pause))])));
  return await during;
}
