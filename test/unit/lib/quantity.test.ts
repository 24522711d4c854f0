import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, parseNano, parseQuantity, timesUp } from '../../../src/lib/quantity.ts';

describe('quantities', () => {
  it.each<[string, bigint]>([
    ['0', 0n], ['128974848', 128_974_848n], ['129e6', 129_000_000n], ['129E6', 129_000_000n], ['1e+3', 1000n], ['129M', 129_000_000n], ['128974848000m', 128_974_848n], ['123Mi', 128_974_848n],
    ['1.5Gi', 1_610_612_736n], ['.5Ki', 512n], ['1.', 1n], ['+2k', 2000n], ['1E', 10n ** 18n], ['1Ei', 1n << 60n], ['12e-1', 2n], ['100m', 1n], ['1n', 1n], ['5u', 1n],
  ])('%s is %d', (text, amount) => {
    expect(parseQuantity(text)).toBe(amount);
  });

  it.each([[''], ['.'], ['Mi'], ['-1Mi'], ['1 Mi'], ['1mi'], ['1KI'], ['1K'], ['e3'], ['1e'], ['1e3Mi'], ['0x10'], ['1,5Gi'], ['1e999'], ['lots']])('%j is none', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it.each<[string, bigint]>([['100m', 100_000_000n], ['1n', 1n], ['0.1n', 1n], ['2', 2_000_000_000n], ['1Ki', 1_024_000_000_000n]])('%s is %d billionths', (text, amount) => {
    expect(parseNano(text)).toBe(amount);
  });

  it.each<[bigint, string]>([[0n, '0'], [1023n, '1023'], [1024n, '1Ki'], [1536n, '1536'], [1n << 30n, '1Gi'], [3n << 29n, '1536Mi'], [128_974_848n, '123Mi']])('%d bytes are written %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('bytes are read as they were written', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 1n << 62n }), (bytes) => {
      expect(parseQuantity(formatBytes(bytes))).toBe(bytes);
    }));
  });

  it.each<[string, number, string]>([['512Mi', 2, '1Gi'], ['1Gi', 1.5, '1536Mi'], ['100Mi', 1.333, '134Mi'], ['1', 2, '1Mi'], ['300M', 1.5, '430Mi']])('%s times %d is %s, in whole mebibytes', (text, factor, product) => {
    expect(formatBytes(timesUp(parseQuantity(text) ?? 0n, factor))).toBe(product);
  });
});
