/** Who decides by a template or workflow that is defined elsewhere: Runs that ask for it, and Queues whose messages start runs of it. */
import type { SpecKey } from '../plan/observed.ts';
import { winningClaim } from '../plan/winner.ts';
import { isRunnable } from '../spec/parsed.ts';
import { specText } from './key.ts';
import type { SpecIndex } from './spec-index.ts';
import type { TemplateChecker } from './template-checker.ts';

export interface TargetWaitsDeps {
  readonly specs: Pick<SpecIndex, 'claims'>;
  readonly checker: Pick<TemplateChecker, 'verdict'>;
  /** Asks for a round of a key. */
  readonly changed: (key: SpecKey) => void;
}

interface Waiting {
  readonly key: SpecKey;
  /** What it saw of the target. */
  readonly seen: string;
}

export class TargetWaits {
  readonly #deps: TargetWaitsDeps;
  /** By the key of the target, then by their own. */
  readonly #waiting = new Map<string, Map<string, Waiting>>();
  /** The other way round. */
  readonly #waitsFor = new Map<string, string>();

  constructor(deps: TargetWaitsDeps) {
    this.#deps = deps;
  }

  /** The key is woken when the target is not what it is now; undefined: it looks at none any more. */
  await(key: SpecKey, target: SpecKey | undefined): void {
    const text = specText(key);
    const before = this.#waitsFor.get(text) ?? '';
    const others = this.#waiting.get(before);
    others?.delete(text);
    if (others?.size === 0) this.#waiting.delete(before);
    if (!target) {
      this.#waitsFor.delete(text);
      return;
    }
    const waiting = this.#waiting.get(specText(target)) ?? new Map<string, Waiting>();
    this.#waiting.set(specText(target), waiting.set(text, { key, seen: this.#fingerprint(target) }));
    this.#waitsFor.set(text, specText(target));
  }

  /** A round of a workflow or template begins: what waits for it looks again, if it is not what it was. */
  targetChanged(target: SpecKey): void {
    const waiting = this.#waiting.get(specText(target));
    if (!waiting) return;
    const now = this.#fingerprint(target);
    for (const { key, seen } of waiting.values()) if (seen !== now) this.#deps.changed(key);
  }

  startAnew(): void {
    this.#waiting.clear();
    this.#waitsFor.clear();
  }

  /** Differs when what waits for it may have to be told something else. */
  #fingerprint(target: SpecKey): string {
    const claim = winningClaim(this.#deps.specs.claims(target))?.claim;
    if (!claim) return '';
    const { hash, spec } = claim.parsed;
    return JSON.stringify([hash, isRunnable(spec) ? [spec.suspend, spec.observe] : 'broken', this.#verdict(target)]);
  }
  /** How often the same was said is of no interest. */
  #verdict(target: SpecKey): unknown {
    const verdict = this.#deps.checker.verdict(target);
    return verdict && [verdict.hash, verdict.result];
  }
}
