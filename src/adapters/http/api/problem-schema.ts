/** The document of a problem, as a schema. */
import { Type } from 'typebox';
import { problemCodes } from './problem.ts';

export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'Always `about:blank`: `code` tells problems apart.' }),
    title: Type.String({ description: 'The words of the status.' }),
    status: Type.Integer({ description: 'The status.' }),
    detail: Type.String({ description: 'What is wrong and what to do, for people.' }),
    code: Type.Unsafe<string>({ type: 'string', enum: Object.keys(problemCodes), description: 'What is wrong, for programs.' }),
    requestId: Type.String({ description: 'As in `X-Request-Id`, and in the log.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.Optional(Type.String({ description: 'A place in the body, as in `#/parameters/date`.' })),
          parameter: Type.Optional(Type.String({ description: 'A parameter of the path or of the query, or a header.' })),
          detail: Type.String({ description: 'What is wrong there.' }),
        }),
        { description: 'Each place that is wrong.' },
      ),
    ),
  },
  { additionalProperties: true, description: 'RFC 9457.', $id: 'Problem' },
);
