import { stormyDays } from '../../support/stormy-days.ts';

stormyDays('messages on stormy days', [0, 0.1], { of: 'messages' });
