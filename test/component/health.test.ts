import { describe, expect, it } from 'vitest';
import { health } from '../../src/adapters/http/health.ts';
import { FaultyTransport } from '../../src/simulation/faults.ts';
import { plannedFaults } from '../../src/simulation/fault-plans.ts';
import { healthChecks } from '../../src/health-checks.ts';
import type { Engine } from '../../src/engine.ts';
import { startController, type ControllerOptions } from '../support/controller.ts';
import { simulate, type Simulation } from '../support/simulation.ts';

const minute = 60_000;

/** The whole engine, and its probes as the kubelet would ask them. */
function aService(world: Simulation, options: Pick<ControllerOptions, 'wrap'> = {}) {
  let engine: Engine | undefined;
  const process = startController(world, { ...options, made: (one) => { engine = one; } });
  return () => {
    if (!engine) throw new Error('not started');
    const { liveness, readiness } = healthChecks(engine, process.clock, () => false);
    const ask = (name: string, checks: typeof liveness): string | undefined => health(name, checks, { verbose: false, exclude: [] }).text.split('\n')[0];
    return { livez: ask('livez', liveness), readyz: ask('readyz', readiness) };
  };
}

describe('probes', () => {
  it('an idle controller lives and is ready, for hours', async () => {
    const world = simulate({ seed: 1 });
    const probes = aService(world);
    await world.run(minute);
    expect(probes()).toEqual({ livez: 'ok', readyz: 'ok' });
    await world.run(300 * minute);
    expect(probes()).toEqual({ livez: 'ok', readyz: 'ok' });
  });

  it('an API server that is away makes nobody restart', async () => {
    const world = simulate({ seed: 2 });
    const probes = aService(world);
    await world.run(minute);
    world.cluster.api.setAvailable(false);
    await world.run(60 * minute);
    expect(probes()).toEqual({ livez: 'ok', readyz: 'ok' });
  });

  it('before the first lists the controller is alive and not ready', async () => {
    const world = simulate({ seed: 3 });
    world.cluster.api.setAvailable(false);
    const probes = aService(world);
    await world.run(minute);
    expect(probes()).toEqual({ livez: 'ok', readyz: '[-]synced failed' });
  });

  it('a watch that only looks alive is cut and listed again, and stays alive', async () => {
    const world = simulate({ seed: 4 });
    const silent = plannedFaults([], [{ when: ({ path }) => path.endsWith('/pods'), fault: { kind: 'silent', after: 1000 }, times: 3 }]);
    const probes = aService(world, { wrap: (transport, clock) => new FaultyTransport(transport, clock, silent) });
    await world.run(30 * minute);
    expect(probes()).toEqual({ livez: 'ok', readyz: 'ok' });
  });

  it('one watch loop that is stuck fails liveness, and says which', async () => {
    const world = simulate({ seed: 5 });
    const process = world.process((views) => {
      const contacts = { jobs: views.clock.monotonic(), pods: views.clock.monotonic() };
      const { liveness } = healthChecks({ synced: true, lastContacts: () => contacts }, views.clock, () => false);
      views.clock.timer(4 * minute, () => { contacts.pods = views.clock.monotonic(); });
      views.clock.timer(6 * minute, () => { answers.push(health('livez', liveness, { verbose: false, exclude: [] }).text); });
    });
    const answers: string[] = [];
    await world.run(7 * minute);
    process.kill();
    expect(answers).toEqual(['[-]watch-jobs failed: last contact 360 s ago\n[+]watch-pods ok: last contact 120 s ago\nlivez check failed\n']);
  });
});
