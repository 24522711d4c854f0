/**
 * What a pg-boss schema looks like. The library's versions 5 to 12 write schema versions 16 to 43, with other column
 * names and without compatibility; the catalog tells which columns there are, also to a role that may not read the table.
 */
import { defaultPgBossSchema } from '../../spec/connection.ts';
import { DatabaseError, quoted } from './database-error.ts';
import type { Database, Row } from './databases.ts';

/** What depth queries need to know. */
export interface PgBossSchema {
  /** The schema's name as the catalog has it. */
  readonly name: string;
  readonly startAfter: 'start_after' | 'startafter';
  /** Jobs that wait for others (flows); since schema version 3x. */
  readonly hasBlocked: boolean;
  /** Tables below the job table, one for each queue in pg-boss 10. */
  readonly partitions: number;
  /** When a job was sent; undefined: no column that is known says so. */
  readonly created: 'created_on' | 'createdon' | undefined;
  /** Jobs that took too long have a state of their own, up to pg-boss 9. */
  readonly hasExpired: boolean;
  /** undefined where the role may not read it, which depth does not need. */
  readonly version: number | undefined;
}

/** The first schema version that was tried: pg-boss 5. */
const oldestVersion = 16;

/** As pg-boss has it: a name in quotes is meant exactly, and a bare one may be found in lower case. */
export function schemaName(text: string | undefined): string {
  const name = text ?? defaultPgBossSchema;
  return /^".+"$/.test(name) ? name.slice(1, -1) : name;
}

const inspection = `
  WITH wanted AS (SELECT $1::text AS name),
  found AS (
    SELECT n.oid, n.nspname FROM wanted, pg_catalog.pg_namespace n
     WHERE n.nspname = wanted.name OR n.nspname = lower(wanted.name)
     ORDER BY n.nspname = wanted.name DESC LIMIT 1)
  SELECT n.nspname::text AS schema,
         quote_ident(n.nspname) AS quoted_schema,
         quote_ident(current_user) AS role,
         has_schema_privilege(n.oid, 'USAGE') AS usage,
         j.oid IS NOT NULL AS has_job,
         has_any_column_privilege(j.oid, 'SELECT') AS can_read_job,
         v.oid IS NOT NULL AS has_version,
         has_any_column_privilege(v.oid, 'SELECT') AS can_read_version,
         ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = j.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
         ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_enum e ON e.enumtypid = a.atttypid
                WHERE a.attrelid = j.oid AND a.attname = 'state' ORDER BY e.enumsortorder) AS states,
         (SELECT count(*)::int FROM pg_catalog.pg_inherits i WHERE i.inhparent = j.oid) AS partitions
    FROM wanted
    LEFT JOIN found n ON true
    LEFT JOIN pg_catalog.pg_class j ON j.relnamespace = n.oid AND j.relname = 'job' AND j.relkind IN ('r', 'p', 'v', 'm', 'f')
    LEFT JOIN pg_catalog.pg_class v ON v.relnamespace = n.oid AND v.relname = 'version' AND v.relkind IN ('r', 'p', 'v', 'm', 'f')`;

/** What the catalog says about a schema, and what our role may do there. */
export interface Inspection {
  readonly schema: string;
  readonly found: boolean;
  readonly hasJob: boolean;
  readonly columns: readonly string[];
  readonly states: readonly string[];
  readonly partitions: number;
  readonly canReadJob: boolean;
  readonly canReadVersion: boolean;
  /** Statements that an administrator has to run before depth can be read. */
  readonly missingGrants: readonly string[];
  readonly missingVersionGrants: readonly string[];
}

/** Asks the catalog; rejects only where the database cannot be asked at all. */
export async function inspect(database: Database, schema: string): Promise<Inspection> {
  const [row = {}] = await database.query(inspection, [schema]);
  const usage = row['usage'] === true;
  const canReadJob = row['can_read_job'] === true;
  const hasVersion = row['has_version'] === true;
  const canReadVersion = row['can_read_version'] === true;
  const [target, role] = [textOf(row, 'quoted_schema', quoted(schema)), textOf(row, 'role', quoted(database.settings.user))];
  const usageGrant = usage ? [] : [`GRANT USAGE ON SCHEMA ${target} TO ${role};`];
  return {
    schema: textOf(row, 'schema', schema),
    found: typeof row['schema'] === 'string',
    hasJob: row['has_job'] === true,
    columns: listOf(row, 'columns'),
    states: listOf(row, 'states'),
    partitions: Number(row['partitions'] ?? 0),
    canReadJob: usage && canReadJob,
    canReadVersion: usage && hasVersion && canReadVersion,
    missingGrants: [...usageGrant, ...(canReadJob ? [] : [`GRANT SELECT ON ${target}.job TO ${role};`])],
    missingVersionGrants: hasVersion && !canReadVersion ? [`GRANT SELECT ON ${target}.version TO ${role};`] : [],
  };
}

/** The schema version that pg-boss wrote down, where our role may read it. */
export async function versionOf(database: Database, { schema, canReadVersion }: Inspection): Promise<number | undefined> {
  if (!canReadVersion) return undefined;
  const [row] = await database.query(`SELECT version::int AS version FROM ${quoted(schema)}.version LIMIT 1`);
  return typeof row?.['version'] === 'number' ? row['version'] : undefined;
}

/** A schema that depth can be read from; rejects with what is missing. */
export async function readSchema(database: Database, schema: string): Promise<PgBossSchema> {
  const found = await inspect(database, schema);
  const problem = absence(found, database.settings.database) ?? forbidden(found);
  if (problem) throw problem;
  const version = await versionOf(database, found);
  const startAfter = (['start_after', 'startafter'] as const).find((column) => found.columns.includes(column));
  const misfit = misfitOf(found, version);
  if (misfit !== undefined || startAfter === undefined) throw unsupported(found.schema, version, misfit ?? 'no column start_after');
  const created = (['created_on', 'createdon'] as const).find((column) => found.columns.includes(column));
  return { name: found.schema, startAfter, created, hasBlocked: found.columns.includes('blocked'), hasExpired: found.states.includes('expired'), partitions: found.partitions, version };
}

/** The schema or its job table is not there. */
export function absence(found: Inspection, database: string): DatabaseError | undefined {
  const create = 'pg-boss creates it in `boss.start()`, with a role that may create it';
  if (!found.found) return new DatabaseError('QueueNotFound', `database "${database}" has no schema ${quoted(found.schema)}; ${create}`);
  if (!found.hasJob) return new DatabaseError('QueueNotFound', `schema ${quoted(found.schema)} has no table job; ${create}`);
  return undefined;
}

function forbidden(found: Inspection): DatabaseError | undefined {
  if (found.missingGrants.length === 0) return undefined;
  return new DatabaseError('QueueForbidden', `the role may not read ${quoted(found.schema)}.job; missing: ${found.missingGrants.join(' ')}`, '42501');
}

/** Why depth cannot be read from these columns; undefined where it can. */
export function misfitOf(found: Inspection, version: number | undefined): string | undefined {
  if (version !== undefined && version < oldestVersion) return 'older than pg-boss 5';
  const missing = ['name', 'state'].filter((column) => !found.columns.includes(column));
  if (!found.columns.includes('start_after') && !found.columns.includes('startafter')) missing.push('start_after');
  if (missing.length > 0) return `table job has no column ${missing.join(', ')}`;
  const [waiting, active] = [found.states.indexOf('created'), found.states.indexOf('active')];
  return waiting === -1 || active <= waiting ? 'column state has other values than pg-boss 5 to 12' : undefined;
}

/** An error that names the version found. */
export function unsupported(schema: string, version: number | undefined, why: string): DatabaseError {
  const which = version === undefined ? 'of unknown version' : `version ${version}`;
  return new DatabaseError('QueueUnsupported', `schema ${quoted(schema)} (${which}) does not look like pg-boss 5 to 12: ${why}`);
}

function textOf(row: Row, key: string, otherwise: string): string {
  const value = row[key];
  return typeof value === 'string' ? value : otherwise;
}

function listOf(row: Row, key: string): readonly string[] {
  const value = row[key];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
