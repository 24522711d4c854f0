import { stormyDays } from '../support/stormy-days.ts';

stormyDays('the whole controller on more stormy days', [0.45, 0.85], { of: 'queues' });
