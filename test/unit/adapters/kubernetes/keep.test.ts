import { describe, expect, it } from 'vitest';
import { readKeep } from '../../../../src/adapters/kubernetes/notes.ts';
import { newShared, projectJob } from '../../../../src/adapters/kubernetes/project-job.ts';
import { projectRecord } from '../../../../src/adapters/kubernetes/project-record.ts';
import { keepUntilAnnotation, instanceLabel, jobKindLabel, managedBy, managedByLabel, nameLabel, recordLabel } from '../../../../src/spec/keys.ts';

describe('until when something is to stay', () => {
  it.each<[string, number]>([
    ['2026-12-24T18:00:00Z', Date.UTC(2026, 11, 24, 18)],
    ['2026-12-24T18:00:00.5+01:00', Date.UTC(2026, 11, 24, 17) + 500],
    ['2026-12-24 18:00Z', Date.UTC(2026, 11, 24, 18)],
    [' 2020-01-01T00:00:00Z ', Date.UTC(2020, 0, 1)],
    ['forever', Infinity],
    ['now', 0],
  ])('%j is a time', (text, until) => {
    expect(readKeep(text)).toEqual({ until });
  });

  it.each([[''], ['2026-12-24'], ['tomorrow'], ['7d'], ['1767225600'], ['2026-13-45T00:00:00Z'], ['2026-12-24T18:00:00'], ['Forever'], ['{}'], ['-1']])('%j says nothing', (text) => {
    expect(readKeep(text)).toEqual({ unread: text });
  });

  it('is not there where nobody wrote it', () => {
    expect(readKeep(undefined)).toEqual({});
  });
});

const metadata = (keep: string | undefined, labels: Record<string, string>): object => ({ name: 'a', uid: 'u', resourceVersion: '1', labels, annotations: keep === undefined ? {} : { [keepUntilAnnotation]: keep } });

describe('Jobs and records', () => {
  const labels = { [managedByLabel]: managedBy, [instanceLabel]: 'default', [jobKindLabel]: 'queue', [nameLabel]: 'thumbnails' };
  const job = (keep?: string): ReturnType<typeof projectJob> => projectJob({ metadata: metadata(keep, labels) as never, spec: {}, status: {} }, newShared());
  const record = (keep?: string): ReturnType<typeof projectRecord> => projectRecord({ metadata: metadata(keep, { ...labels, [recordLabel]: 'run' }) as never }, 'default');

  it('say so by an annotation', () => {
    expect([job('forever')?.keepUntil, record('forever')?.keepUntil]).toEqual([Infinity, Infinity]);
    expect([job(), record()].map((one) => one && Object.keys(one).includes('keepUntil'))).toEqual([false, false]);
  });

  it('that nobody can read counts for nothing, and is remembered for the log', () => {
    expect(job('soon')).toMatchObject({ unreadKeep: 'soon' });
    expect(job('soon')).not.toHaveProperty('keepUntil');
    expect(record('soon')).not.toHaveProperty('keepUntil');
  });
});
