import { expect, it } from 'vitest';
import type { Status } from '../../../src/plan/action.ts';
import { mostStatusBytes, roomIn, statusText } from '../../../src/plan/status-text.ts';

const status: Status = {
  state: 'Idle', reason: 'WaitsForRequest', message: 'waits\nfor a request', health: 'Healthy', observedHash: 'hash-1', lastRun: undefined,
  conditions: [{ type: 'Accepted', status: 'True', reason: 'SpecAccepted', message: '' }],
  activeRuns: 0, parameters: { url: 'string, required', 'size"': 'integer, default 512' },
};

it('is JSON with a line for each field, and for each parameter', () => {
  expect(JSON.parse(statusText(status))).toEqual(JSON.parse(JSON.stringify(status)));
  expect(statusText(status).split('\n')).toEqual([
    '{', '"state":"Idle",', '"reason":"WaitsForRequest",', '"message":"waits\\nfor a request",', '"health":"Healthy",', '"observedHash":"hash-1",',
    '"conditions":[{"type":"Accepted","status":"True","reason":"SpecAccepted","message":""}],', '"activeRuns":0,',
    '"parameters":{', '"url":"string, required",', '"size\\"":"integer, default 512"', '}', '}',
  ]);
});

it('says how much room is left', () => {
  expect(roomIn(status)).toBe(mostStatusBytes - Buffer.byteLength(statusText(status)));
});
