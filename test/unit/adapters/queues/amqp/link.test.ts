import { describe, expect, it } from 'vitest';
import { AmqpLinks } from '../../../../../src/adapters/queues/amqp/links.ts';
import { Connections } from '../../../../../src/adapters/queues/connections.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { collectingLog } from '../../../../support/depth.ts';

const place = { connection: 'main', vhost: undefined, purpose: 'messages' } as const;

function someLinks(): { links: AmqpLinks; clock: FakeClock } {
  const clock = new FakeClock();
  const log = collectingLog([]);
  return { clock, links: new AmqpLinks({ connections: new Connections({ definitions: new Map(), clock, log }), clock, log }) };
}

describe('a connection with a RabbitMQ', () => {
  it('that nobody uses any more is kept for a minute', () => {
    const { links, clock } = someLinks();
    const release = links.link(place).hold();
    expect(clock.pending).toEqual([]);
    release();
    expect(clock.pending).toEqual([60_000]);
  });

  it('leaves no timer behind when it is closed, before or after its last user has gone', async () => {
    const { links, clock } = someLinks();
    const link = links.link(place);
    link.hold()();
    const release = link.hold();
    link.hold()();
    await links.close();
    release();
    expect(clock.pending).toEqual([]);
    await expect(link.session()).rejects.toMatchObject({ message: 'job-chief is stopping' });
  });
});
