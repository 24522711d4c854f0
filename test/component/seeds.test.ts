import { stormyDays } from '../support/stormy-days.ts';

stormyDays('the whole controller on stormy days', [0, 0.45], { of: 'queues' });
