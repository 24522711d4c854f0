/** What a single YAML scalar may not look like, because other tools on its way read it differently. */
import { shown } from '../lib/show.ts';
import { pathText, type FieldPath } from './field-path.ts';
import type { Finding } from './report.ts';

/** Words of our own that YAML 1.1 takes for booleans. They are safe: the schema takes `false` for the same thing. */
const switches = new Set(['breaker.notStarted', 'breaker.failed', 'perMessage.payload.file', 'perBatch.payload.file']);

/**
 * Scalars that YAML 1.2 and the YAML of kubectl, kustomize and Helm (1.1 in these points) read differently:
 * 0644 is 644 or 420, `yes` is text or true.
 */
export function ambiguity(source: string, path: FieldPath): Finding | undefined {
  if (/^[-+]?0[0-9_]+$/.test(source)) {
    const octal = /^0[0-7]+$/.test(source) ? `, or write 0o${source.slice(1)} for an octal number such as a file mode` : '';
    return { code: 'AmbiguousNumber', message: `${source} is read as a decimal number by some YAML tools and as an octal one by others`, hint: `write "${source}" in quotes for text${octal}` };
  }
  if (/^(y|n|yes|no|on|off)$/i.test(source) && !switches.has(pathText(path))) {
    return { code: 'AmbiguousWord', message: `${source} is read as text by some YAML tools and as a boolean by others`, hint: `write "${source}" in quotes for text, or true or false` };
  }
  return undefined;
}

/** Text that a tool on the way to the cluster may replace. `$${` is how a user tells Flux not to. */
export function templating(text: string): Finding[] {
  const findings: Finding[] = [];
  const substitution = /(?<!\$)\$\{[^}\n]{0,60}\}?/.exec(text);
  if (substitution) {
    findings.push({
      code: 'FluxSubstitution',
      message: `${shown(substitution[0])} is replaced by Flux where a Kustomization uses postBuild substitution`,
      hint: 'annotate the ConfigMap with kustomize.toolkit.fluxcd.io/substitute: disabled, or write $${…} where Flux must leave it alone',
    });
  }
  const template = /\{\{[^\n]{0,60}?\}\}|\{\{/.exec(text);
  if (template) {
    findings.push({ code: 'HelmTemplate', message: `${shown(template[0])} is a template to Helm, and plain text to job-chief`, hint: 'in a chart write {{ "{{" }} for the braces themselves; elsewhere ignore this' });
  }
  return findings;
}
