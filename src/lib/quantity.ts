/** Quantities as Kubernetes writes amounts of memory, `512Mi`, `1.5G`, `1e9`: computed with exactly. */

const shape = /^\+?(\d{1,30})?(?:\.(\d{0,30}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

type Factor = readonly [numerator: bigint, denominator: bigint];
const decimal = (suffix: string, index: number): readonly [string, Factor] => [suffix, [10n ** BigInt(3 * (index + 1)), 1n]];
const binary = (suffix: string, index: number): readonly [string, Factor] => [suffix, [1n << BigInt(10 * (index + 1)), 1n]];

const factors: ReadonlyMap<string, Factor> = new Map([
  ['n', [1n, 10n ** 9n]],
  ['u', [1n, 10n ** 6n]],
  ['m', [1n, 10n ** 3n]],
  ...['k', 'M', 'G', 'T', 'P', 'E'].map(decimal),
  ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map(binary),
]);

/** The amount in whole units, of memory in bytes, rounded up as Kubernetes does. undefined: it is no quantity, or negative. */
export function parseQuantity(text: string): bigint | undefined {
  const exact = exactQuantity(text);
  return exact && divideUp(...exact);
}

/** The amount in billionths of a unit, rounded up: Kubernetes knows nothing finer. undefined as for parseQuantity. */
export function parseNano(text: string): bigint | undefined {
  const exact = exactQuantity(text);
  return exact && divideUp(exact[0] * 10n ** 9n, exact[1]);
}

function exactQuantity(text: string): Factor | undefined {
  const match = shape.exec(text);
  const [, whole = '', fraction = '', suffix, exponent] = match ?? [];
  if (!match || whole + fraction === '') return undefined;
  const [numerator, denominator] = suffix === undefined ? powerOfTen(Number(exponent ?? 0)) : (factors.get(suffix) ?? [1n, 1n]);
  return [BigInt(whole + fraction) * numerator, denominator * 10n ** BigInt(fraction.length)];
}

function powerOfTen(exponent: number): Factor {
  return exponent < 0 ? [1n, 10n ** BigInt(-exponent)] : [10n ** BigInt(exponent), 1n];
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/** Bytes with the largest binary suffix that leaves a whole number. */
export function formatBytes(bytes: bigint): string {
  for (const suffix of ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki']) {
    const [size] = factors.get(suffix) ?? [1n];
    if (bytes >= size && bytes % size === 0n) return `${bytes / size}${suffix}`;
  }
  return String(bytes);
}

/** `factor` times as much, rounded up to whole mebibytes: nobody writes finer, and few could read it. */
export function timesUp(bytes: bigint, factor: number): bigint {
  const mebibyte = 1n << 20n;
  const precision = 1_000_000;
  return divideUp(bytes * BigInt(Math.round(factor * precision)), BigInt(precision) * mebibyte) * mebibyte;
}
