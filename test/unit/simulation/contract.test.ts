/** The simulated cluster held to what a real one does: the same cases run against a real API server. */
import { describe } from 'vitest';
import { apiServerContract } from '../../contract/kubernetes/api-server.contract.ts';
import { controllersContract } from '../../contract/kubernetes/controllers.contract.ts';
import { recordsContract } from '../../contract/kubernetes/records.contract.ts';
import type { Bench, Subject } from '../../contract/kubernetes/subject.ts';
import { VirtualClock } from '../../../src/simulation/clock.ts';
import { SimulatedCluster } from '../../../src/simulation/cluster.ts';
import { Random } from '../../../src/simulation/random.ts';

/** A fresh cluster for each case; its clock runs until the case is over. */
function simulatedBench(): Bench {
  return {
    run: async (work) => {
      const clock = new VirtualClock();
      const cluster = new SimulatedCluster({ clock, random: new Random('contract'), components: 'noKubelet' });
      const subject: Subject = {
        transport: cluster.api,
        namespace: cluster.namespace,
        clock,
        setQuota: (hard) => {
          cluster.quota.clear();
          for (const [key, value] of Object.entries(hard ?? {})) cluster.quota.set(key, Number(value));
          return Promise.resolve();
        },
      };
      const over = { yet: false };
      const outcome = work(subject).finally(() => { over.yet = true; });
      outcome.catch(() => undefined);
      await clock.runUntil(() => over.yet, 600_000);
      if (!over.yet) throw new Error('the case waits for something that never happens');
      await outcome;
    },
    close: () => Promise.resolve(),
  };
}

const bench = simulatedBench();

describe('simulated API server', () => { apiServerContract(() => bench, { forgetful: true }); });
describe('simulated controllers', () => { controllersContract(() => bench); });
describe('records on the simulated API server', () => { recordsContract(() => bench); });
