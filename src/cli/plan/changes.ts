/** What defines each name now, and what would after the files were applied. Pure. */
import type { Claim, ConfigMapSource, SpecKey } from '../../plan/observed.ts';
import { sourceName, winningClaim } from '../../plan/winner.ts';
import type { Json } from '../../lib/json.ts';
import { specKey } from '../../spec/keys.ts';
import { readDocument } from '../../spec/document.ts';
import { isRunnable } from '../../spec/parsed.ts';
import type { LiveCluster, LiveSpec } from '../live/live-cluster.ts';
import { fieldChanges, type FieldChange } from './field-changes.ts';
import type { PlannedSpec } from './planned-spec.ts';

export interface SpecChange {
  readonly key: SpecKey;
  readonly kind: string;
  /** Logical name. */
  readonly name: string;
  readonly change: 'new' | 'changed' | 'unchanged' | 'removed';
  /** Where the spec stands that would be in force. */
  readonly file: string | undefined;
  readonly configMap: string | undefined;
  /** What wins now, and what would. */
  readonly before: LiveSpec | undefined;
  readonly after: Claim | undefined;
  /** All claims of the name afterwards, and which of them wins. */
  readonly claims: readonly Claim[];
  readonly index: number;
  readonly fields: readonly FieldChange[];
  /** Data keys whose text differs. */
  readonly files: readonly string[];
  /** ConfigMaps that go, which the files do not have. */
  readonly removed: readonly LiveSpec[];
  /** What else stands in the way of its text, such as a newer ConfigMap. */
  readonly notes: readonly string[];
}

export interface ChangeOptions {
  readonly live: LiveCluster;
  readonly planned: readonly PlannedSpec[];
  /** The files are the whole set: what they do not have is removed. */
  readonly all: boolean;
}

/** One for each name that the files speak of, or take away. In the order of the files; removed ones last. */
export function changesOf(options: ChangeOptions): readonly SpecChange[] {
  const { live, planned, all } = options;
  const applied = planned.filter(({ parsed }) => parsed.kind !== undefined).map((spec): Applied => ({ spec, source: sourceFor(live, spec) }));
  // Also what cannot be read is there, and is not taken away.
  const replaced = new Set([...applied.map(({ source }) => source.name), ...planned.flatMap(({ configMap }) => configMap ?? [])]);
  const left = live.specs.filter(({ claim }) => !replaced.has(sourceName(claim)));
  const keys = [...applied.map(({ spec }) => spec.key), ...live.specs.filter(({ claim }) => all || replaced.has(sourceName(claim))).map(({ key }) => key)];
  const distinct = new Map(keys.map((key) => [`${key.kind}/${key.name}`, key]));
  return [...distinct.values()].filter(({ kind }) => kind !== 'unknown').map((key) => changeOf(options, key, { applied, left }));
}

interface Applied {
  readonly spec: PlannedSpec;
  readonly source: ConfigMapSource;
}

/** Applying keeps the ConfigMap of that name, with its UID and age. */
function sourceFor(live: LiveCluster, { configMap, key, name }: PlannedSpec): ConfigMapSource {
  const sources = live.specs.flatMap(({ claim: { source }, ...spec }) => (source.kind === 'configMap' ? [{ source, key: spec.key }] : []));
  const same = configMap === undefined ? winnerOf(live, key)?.claim.source : sources.find(({ source }) => source.name === configMap)?.source;
  if (same?.kind === 'configMap') return same;
  return { kind: 'configMap', name: configMap ?? name, uid: `planned/${configMap ?? name}`, createdAt: live.now, deleting: false, writtenStatus: undefined, writtenState: undefined };
}

function isSame(left: SpecKey, right: SpecKey): boolean {
  return left.kind === right.kind && left.name === right.name;
}

function winnerOf({ specs }: LiveCluster, key: SpecKey): LiveSpec | undefined {
  const named = specs.filter((spec) => isSame(spec.key, key));
  const found = winningClaim(named.map(({ claim }) => claim));
  return found && named[found.index];
}

/** What defines a name afterwards. */
interface Defined {
  readonly mine: readonly Applied[];
  /** Of the cluster, as they are now. */
  readonly stay: readonly LiveSpec[];
  readonly removed: readonly LiveSpec[];
  readonly claims: readonly Claim[];
  readonly index: number;
  readonly after: Claim | undefined;
  /** It is in the files. */
  readonly winner: PlannedSpec | undefined;
}

function definedBy({ all }: ChangeOptions, key: SpecKey, { applied, left }: Sides): Defined {
  const mine = applied.filter(({ spec }) => isSame(spec.key, key));
  const others = left.filter((spec) => isSame(spec.key, key));
  // What is pruned goes after what is applied has come: until then both are there, and Jobs are handed over.
  const stay = all && mine.length === 0 ? [] : others;
  const claims = [...mine.map(({ spec, source }): Claim => ({ source, parsed: spec.parsed })), ...stay.map(({ claim }) => claim)];
  const index = winningClaim(claims)?.index ?? -1;
  return { mine, stay, removed: all ? others : [], claims, index, after: claims[index], winner: mine[index]?.spec };
}

interface Sides {
  readonly applied: readonly Applied[];
  readonly left: readonly LiveSpec[];
}

function changeOf(options: ChangeOptions, key: SpecKey, sides: Sides): SpecChange {
  const defined = definedBy(options, key, sides);
  const { mine, stay, removed, claims, index, after, winner } = defined;
  const before = winnerOf(options.live, key);
  const compared = compare(before, after, winner?.data ?? stay[index - mine.length]?.data);
  const { kind, name } = winner ?? before ?? mine[0]?.spec ?? key;
  return {
    key, kind, name,
    change: changeWord(before, after, compared),
    file: winner?.file,
    configMap: after?.source.kind === 'configMap' ? after.source.name : undefined,
    before, after, claims, index, removed,
    ...compared,
    notes: notesOf(defined, options.all),
  };
}

type Compared = Pick<SpecChange, 'fields' | 'files'>;

function changeWord(before: LiveSpec | undefined, after: Claim | undefined, { fields, files }: Compared): SpecChange['change'] {
  if (!after) return 'removed';
  if (!before) return 'new';
  return fields.length + files.length > 0 || before.claim.parsed.hash !== after.parsed.hash ? 'changed' : 'unchanged';
}

function compare(before: LiveSpec | undefined, after: Claim | undefined, data: PlannedSpec['data'] | undefined): Compared {
  if (!before || !after || !data) return { fields: [], files: [] };
  const named = new Set([before.claim, after].flatMap(({ parsed: { spec } }) => (isRunnable(spec) ? spec.files : [])));
  return { fields: fieldChanges(valueOf(before.data), valueOf(data)), files: [...named].filter((file) => before.data[file] !== data[file]) };
}

function valueOf(data: PlannedSpec['data']): Json | undefined {
  return readDocument(data[specKey] ?? '').value;
}

function notesOf({ mine, winner, after, stay }: Defined, all: boolean): string[] {
  const hidden = after && mine.length > 0 && !winner ? [`ConfigMap "${sourceName(after)}" defines the name too and is newer: what is in the files does nothing`] : [];
  const superseded = winner && !all ? stay.map(({ claim }) => `ConfigMap "${sourceName(claim)}" defines the name too, and does nothing from then on; delete it`) : [];
  return [...hidden, ...superseded];
}
