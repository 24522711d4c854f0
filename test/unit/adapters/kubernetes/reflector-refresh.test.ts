/** Asked for all that is there this moment, a reflector does not wait for its watch. */
import { afterEach, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { Reflector } from '../../../../src/adapters/kubernetes/reflector.ts';
import { jobs } from '../../../../src/adapters/kubernetes/resources.ts';
import type { ListResult } from '../../../../src/adapters/kubernetes/client.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { promised } from '../../../support/fakes.ts';
import { ScriptedClient, silentLog } from './scripted-client.ts';

interface Named {
  readonly name: string;
  readonly uid: string;
}
const running: Reflector<Named>[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

const object = (name: string): JsonObject => ({ metadata: { name, uid: `uid-${name}`, resourceVersion: '1' } });
const named = (raw: JsonObject): Named => raw['metadata'] as unknown as Named;

async function start() {
  const items = [object('a')];
  const client = new ScriptedClient({ jobs: items });
  const clock = new FakeClock();
  const reflector = new Reflector<Named>({ client, clock, random: () => 0.5, log: silentLog, resource: jobs, labelSelector: 'x', project: named, onChange: () => undefined });
  running.push(reflector);
  reflector.start();
  await settle();
  return { items, client, clock, reflector, names: () => [...reflector.values()].map(({ name }) => name) };
}

test('a silent watch is given up, and what is there is there', async () => {
  const { items, reflector, names } = await start();
  items.push(object('b'));
  await settle();
  expect(names()).toEqual(['a']);
  await reflector.refresh();
  expect(names()).toEqual(['a', 'b']);
});

test('events that come meanwhile do not take the place of the list, and the watch goes on behind it', async () => {
  const { items, client, reflector, names } = await start();
  items.push(object('b'));
  const refreshed = reflector.refresh();
  client.send('jobs', 'ADDED', object('late'));
  await refreshed;
  expect(names()).toEqual(['a', 'b']);
  await settle();
  client.send('jobs', 'ADDED', object('c'));
  await settle();
  expect(names()).toEqual(['a', 'b', 'c']);
});

test('a list that was asked for before is not enough', async () => {
  const { client, reflector, names } = await start();
  const slow = promised<ListResult>();
  const list = client.list.bind(client);
  client.list = () => slow.promise;
  const first = reflector.refresh();
  await settle();
  const second = reflector.refresh();
  client.list = list;
  slow.keep({ kind: 'page', page: { items: [], resourceVersion: '90', continue: undefined } });
  await first;
  expect(names()).toEqual([]);
  await second;
  expect(names()).toEqual(['a']);
});

test('a list that fails is tried again', async () => {
  const { client, clock, reflector, names, items } = await start();
  const list = client.list.bind(client);
  client.list = () => Promise.resolve({ kind: 'failed', failure: { status: 500, reason: 'InternalError', message: 'etcd is away', causes: [], retryAfter: undefined } } as unknown as ListResult);
  items.push(object('b'));
  const refreshed = reflector.refresh();
  await settle();
  expect(names()).toEqual(['a']);
  client.list = list;
  await clock.advance(60_000);
  await refreshed;
  expect(names()).toEqual(['a', 'b']);
});
