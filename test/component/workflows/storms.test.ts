/** What the records say is held against what the pods did, and against an oracle of its own. */
import { stormyDays } from '../../support/stormy-days.ts';

stormyDays('workflows on stormy days', [0, 0.15], { of: 'workflows' });
