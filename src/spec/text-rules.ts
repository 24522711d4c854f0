/** Findings in the texts of a Job: credentials in plain sight. */
import { stringAt, type JsonObject } from '../lib/json.ts';
import { textsUnder, type FieldPath } from './field-path.ts';
import { jobFields, jobParts, listed } from './job-parts.ts';
import type { Finding } from './report.ts';

const secretName = /(^|[_.-])(PASS(WORD|WD|PHRASE)?|PWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|SECRET_?KEY|CREDENTIALS?)$/i;
/** Not where the password is a reference, which the shell or Kubernetes puts in. Bounded, so that no text makes it slow. */
const urlWithPassword = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@$]{0,200}:(?!\$)[^\s/@]{1,200}@/i;
const secretArgument = /(^|\s|-)(password|passwd|token|secret|api[-_]?key)=(?!\$|\s|$)\S/i;

/** Literal-looking credentials. Their values are never repeated in a message. */
export function credentialFindings(spec: JsonObject): Finding[] {
  return [...namedCredentials(spec), ...writtenCredentials(spec)];
}

function namedCredentials(spec: JsonObject): Finding[] {
  return jobParts(spec).containers.flatMap((container) =>
    listed(spec, [...container.path, 'env']).flatMap(({ path, value }) => {
      const name = stringAt(value, 'name') ?? '';
      const text = stringAt(value, 'value') ?? '';
      return secretName.test(name) && text !== '' && !text.startsWith('$(') ? [credential(`"${name}" looks like a credential and has a literal value`, [...path, 'value'])] : [];
    }),
  );
}

function writtenCredentials(spec: JsonObject): Finding[] {
  return jobFields.flatMap((field) =>
    textsUnder(spec, [field]).flatMap(({ path, text }) => {
      if (urlWithPassword.test(text)) return [credential('the text holds a URL with a user name and a password', path)];
      return secretArgument.test(text) ? [credential('the text holds what looks like a literal password or token', path)] : [];
    }),
  );
}

function credential(message: string, path: FieldPath): Finding {
  return { code: 'LiteralCredential', message, path, hint: 'everybody who can read ConfigMaps can read it: keep it in a Secret and use valueFrom.secretKeyRef' };
}
