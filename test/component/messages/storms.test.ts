import { stormyDays } from '../../support/stormy-days.ts';

stormyDays('messages on stormy days', [0, 0.15], { of: 'messages' });
