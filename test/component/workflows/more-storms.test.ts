import { stormyDays } from '../../support/stormy-days.ts';

stormyDays('workflows on more stormy days', [0.15, 0.3], { of: 'workflows' });
