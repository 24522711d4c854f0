/** Whatever was thrown on the way to an answer, as a problem: what Fastify refuses by itself included. */
import { largestBody } from './body.ts';
import { ApiProblem } from './problem.ts';

/** Never tells what a bug was: that is for the log. */
export function problemFrom(thrown: unknown): ApiProblem {
  if (thrown instanceof ApiProblem) return thrown;
  const { code, statusCode } = typeof thrown === 'object' && thrown !== null ? (thrown as { code?: unknown; statusCode?: unknown }) : {};
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ApiProblem(415, 'UnsupportedMediaType', 'send the body as application/json', { headers: { accept: 'application/json' } });
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ApiProblem(413, 'TooLarge', `the body is larger than ${largestBody.toLocaleString('en')} bytes`);
    default:
      return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? new ApiProblem(400, 'InvalidRequest', 'the request cannot be read') : new ApiProblem(500, 'Failed', 'the request failed; the log of job-chief has the cause');
  }
}
