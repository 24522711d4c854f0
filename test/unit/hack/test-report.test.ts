import { describe, expect, it } from 'vitest';
import { countOf, type Report } from '../../../hack/dev/test-report.ts';

const file = (name: string, statuses: Readonly<Record<string, string>>, more: { status?: string; message?: string } = {}): Report['testResults'][number] => {
  const assertionResults = Object.entries(statuses).map(([fullName, status]) => ({ fullName, status }));
  return { name: `/repo/test/${name}`, status: assertionResults.some(({ status }) => status === 'failed') ? 'failed' : 'passed', assertionResults, ...more };
};
const report = (...testResults: Report['testResults'][number][]): Report => {
  const statuses = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const number = (wanted: string): number => statuses.filter((status) => status === wanted).length;
  return { numPassedTests: number('passed'), numFailedTests: number('failed'), testResults };
};

describe('the report of a suite', () => {
  it('names each test that failed, and its file, in the order in which they ran', () => {
    const both = report(file('a.test.ts', { 'a job ends': 'passed', 'a job fails': 'failed' }), file('b.test.ts', { 'a queue waits': 'failed', later: 'pending' }));
    expect(countOf(both, '/repo')).toEqual({ passed: 1, failed: 2, failures: ['test/a.test.ts > a job fails', 'test/b.test.ts > a queue waits'] });
  });

  it('counts a file that failed without a failed test as one failure, and says why it did', () => {
    const broken = report(file('a.test.ts', {}, { status: 'failed', message: '\n  Error: no such export\n    at somewhere' }), file('b.test.ts', { fine: 'passed' }, { status: 'failed' }));
    expect(countOf(broken, '/repo')).toEqual({ passed: 1, failed: 2, failures: ['test/a.test.ts: Error: no such export', 'test/b.test.ts: it failed outside of its tests'] });
  });

  it('of a suite without a failure names nothing', () => {
    expect(countOf(report(file('a.test.ts', { one: 'passed', two: 'skipped' })), '/repo')).toEqual({ passed: 1, failed: 0, failures: [] });
  });
});
