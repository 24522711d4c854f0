/** What vitest's JSON report of one suite says: how many tests ran, and which of them failed. */
import { relative } from 'node:path';

export interface Count {
  readonly passed: number;
  readonly failed: number;
  /** One line for each failure: the file, and the test where it was one. */
  readonly failures: readonly string[];
}

/** The parts of the report that are read; all else is ignored. */
export interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/**
 * A file that failed without a failed test, because it could not be loaded or a hook around its tests failed, counts as one
 * failure. `root`: what paths are told from.
 */
export function countOf({ numPassedTests, numFailedTests, testResults }: Report, root: string): Count {
  const failures = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name);
    const tests = assertionResults.filter((one) => one.status === 'failed').map(({ fullName }) => `${file} > ${fullName}`);
    return tests.length > 0 || status !== 'failed' ? tests : [`${file}: ${firstLine(message)}`];
  });
  const outside = failures.length - testResults.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => status === 'failed').length;
  return { passed: numPassedTests, failed: numFailedTests + outside, failures };
}

function firstLine(message = ''): string {
  return message.split('\n').find((line) => line.trim() !== '')?.trim() ?? 'it failed outside of its tests';
}
