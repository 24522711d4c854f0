/** What a role may do with the tables of pg-boss, held against what leasing and settling messages needs. */
import { quoted } from './database-error.ts';
import type { Database } from './databases.ts';

/** Rights on the tables of a schema of version 43. `job` is partitioned: the library deletes in its partitions, by their names. */
const rights = `
  WITH home AS (SELECT n.oid, quote_ident(n.nspname) AS name FROM pg_catalog.pg_namespace n WHERE n.nspname = $1),
  wanted (relation, position, needed) AS (
    SELECT c.oid, w.position, w.needed
      FROM home JOIN pg_catalog.pg_class c ON c.relnamespace = home.oid
      JOIN (VALUES ('version', 1, 'SELECT'), ('queue', 2, 'SELECT'), ('job', 3, 'SELECT,INSERT,UPDATE')) AS w (name, position, needed) ON w.name = c.relname
    UNION ALL
    SELECT i.inhrelid, 4, 'SELECT,INSERT,UPDATE,DELETE'
      FROM home JOIN pg_catalog.pg_class c ON c.relnamespace = home.oid AND c.relname = 'job' JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid)
  SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS relation, quote_ident(current_user) AS role,
         ARRAY(SELECT one FROM unnest(string_to_array(wanted.needed, ',')) WITH ORDINALITY AS part (one, at)
                WHERE NOT has_table_privilege(wanted.relation, one) ORDER BY at) AS missing
    FROM wanted JOIN pg_catalog.pg_class c ON c.oid = wanted.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   ORDER BY wanted.position, c.relname`;

/**
 * Statements that an administrator has to run before messages of the schema can be leased and settled; none where nothing
 * is missing. The right to use the schema is not looked at.
 */
export async function missingMessageGrants(database: Database, schema: string): Promise<readonly string[]> {
  const rows = await database.query(rights, [schema]);
  return rows.flatMap(({ relation, role, missing }) => {
    const privileges = Array.isArray(missing) ? missing.filter((one) => typeof one === 'string') : [];
    if (privileges.length === 0 || typeof relation !== 'string') return [];
    return [`GRANT ${privileges.join(', ')} ON ${relation} TO ${typeof role === 'string' ? role : quoted(database.settings.user)};`];
  });
}
