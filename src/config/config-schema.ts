/** What operators write: the one definition behind the validator, the environment variables and docs/configuration.md. */
import { Type } from 'typebox';
import type { JsonObject } from '../lib/json.ts';
import { addressPattern, httpApiSchema } from './http-api.ts';
import { connectionFields, connectionFieldsOf, connectionTypes } from '../spec/connection.ts';
import { jobDefaultsDefinitions, jobDefaultsSchema } from '../spec/job-defaults.ts';
import { podPolicySchema } from '../spec/pod-policy/policy-schema.ts';
import { limitFields } from '../spec/limits-schema.ts';
import { duration, flag, integer, section, subdomainMessage, subdomainPattern, word } from '../spec/schema-fields.ts';

const text = (description: string, rules: { default?: string; pattern?: string; maxLength?: number; errorMessage?: string } = {}) =>
  Type.Optional(Type.String({ minLength: 1, description, ...rules }));

const keys = Type.Optional(
  Type.Unsafe<JsonObject>({
    type: 'object',
    properties: Object.fromEntries(connectionFields.map((field) => [field, { type: 'string', minLength: 1, pattern: '^[-._a-zA-Z0-9]+$', errorMessage: 'must be the key of a Secret' }])),
    additionalProperties: false,
    description: `The Secret's keys where they differ from the names of the settings. ${connectionTypes.map((type) => `${type}: ${connectionFieldsOf(type).join(', ')}.`).join(' ')}`,
    default: {},
  }),
);

const connection = Type.Object(
  {
    type: word(connectionTypes, 'What kind of queues it leads to: pg-boss in PostgreSQL, AMQP 0-9-1 (RabbitMQ), or Amazon SQS.', 'pgBoss'),
    folder: text('Folder with one file for each setting, such as a mounted Secret. Default: the sub-folder of connectionsFolder with the name of the connection.'),
    secretName: text('Name of the Secret behind the folder. Needed where the connection is injectable.', { pattern: subdomainPattern, maxLength: 253, errorMessage: subdomainMessage }),
    injectable: flag('Whether specs may hand the connection to their workers with `injectConnection: true`.', false),
    keys,
  },
  { additionalProperties: false, description: 'One connection.' },
);

const connections = Type.Optional(
  Type.Unsafe<JsonObject>({
    type: 'object',
    propertyNames: { pattern: subdomainPattern, maxLength: 253, errorMessage: subdomainMessage },
    additionalProperties: connection,
    description: 'Connections to queues, by the name that specs use.',
    default: {},
  }),
);

/** The schema of the configuration file. */
export const configSchema = Type.Object(
  {
    namespace: text("Namespace to work in. Default: the pod's own, else that of the kubeconfig's context.", { pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 63, errorMessage: 'must be the name of a namespace' }),
    instance: text('Name of this instance. It looks after ConfigMaps whose label `job-chief/instance` says so; without the label the instance is `default`.', {
      default: 'default',
      maxLength: 63,
      pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$',
      errorMessage: 'must be a label value: at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends',
    }),
    kubeconfig: text('Kubeconfig file to use outside of a pod. Default: $KUBECONFIG, else ~/.kube/config.'),
    context: text('Context of the kubeconfig. Default: its current context.'),
    specs: section(
      {
        source: word(['configMaps', 'folder'], 'Where specs come from: labelled ConfigMaps of the namespace, or the files of a folder.', 'configMaps'),
        folder: text('The folder, for `source: folder`.'),
      },
      'Where specs come from.',
    ),
    connections,
    connectionsFolder: text('Folder whose sub-folders are connections, each by its name. Entries of `connections` add to it and win.'),
    jobDefaults: Type.Optional(jobDefaultsSchema),
    podPolicy: podPolicySchema,
    beforeDelete: section(
      {
        urlPrefixes: Type.Optional(Type.Unsafe<string[]>({ type: 'array', items: { type: 'string', pattern: '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$', maxLength: 2_048, errorMessage: 'must be the beginning of a URL, such as "https://hooks.example.com/job-chief/"' }, description: 'What URLs in `beforeDelete` of specs may begin with. A prefix ends where a part of the path ends. Without one nothing is ever called.' })),
        headersFolder: text('Folder whose sub-folders are sets of headers by the name that specs use in `headersFromSecret`: mounted Secrets with one key for each header.'),
      },
      'Calls before something is deleted.',
    ),
    status: section({ writeBack: flag('Write state and status to the ConfigMaps of specs.', true) }, 'What specs learn about their state.'),
    records: section(
      { enabled: Type.Optional(Type.Boolean({ description: 'Keep the runs of workflows in ConfigMaps of the namespace. Without them there are queues only. Default: true where specs come from ConfigMaps, false where they come from a folder.' })) },
      'Records of runs.',
    ),
    messageHistory: flag('Keep what became of the last messages of each queue that job-chief leases messages from, in a ConfigMap for each, also after their Jobs are gone.', true),
    events: flag('Write Kubernetes Events.', true),
    api: section(
      {
        qps: integer({ description: 'Requests to the API server per second in the long run; 0 for no limit of our own.', default: 50, min: 0, max: 100_000 }),
        burst: integer({ description: 'Requests at once before that limit holds.', default: 100, min: 1, max: 100_000 }),
        concurrency: integer({ description: 'Requests under way at the same time, watches not counted.', default: 32, min: 1, max: 1_000 }),
        timeout: duration({ description: 'How long one request may take.', default: '15s', min: '1s', max: '5m' }),
      },
      'How the API server is used.',
    ),
    reconcile: section({ concurrency: integer({ description: 'Specs that are worked on at the same time. They mostly wait for answers; requests have a limit of their own.', default: 128, min: 1, max: 1_000 }) }, 'How specs are worked on.'),
    limits: section(limitFields, 'Bounds on the Jobs of this instance, which no Limits can raise; see docs/limits.md.'),
    highAvailability: section(
      {
        enabled: flag('Run several replicas, of which one at a time acts and the others stand by. Needs the rights of `manifests/components/high-availability`.', false),
        lease: text('Name of the Lease that decides which one. Default: `job-chief`, for other instances than `default` with the name of the instance behind it.', { pattern: subdomainPattern, maxLength: 253, errorMessage: subdomainMessage }),
        leaseDuration: duration({ description: 'How long a replica that stands by waits for a renewal before it takes over.', default: '15s', min: '3s', max: '10m' }),
        renewDeadline: duration({ description: 'How long after its last renewal the leader acts. The time between this and leaseDuration is for requests under way.', default: '10s', min: '2s', max: '10m' }),
        retryPeriod: duration({ description: 'How often the leader renews; replicas that stand by look about twice as often.', default: '2s', min: '1s', max: '5m' }),
      },
      'Several replicas.',
    ),
    listen: text('Address of health checks and metrics, as HOST:PORT.', { default: '0.0.0.0:8080', pattern: addressPattern, errorMessage: 'must be HOST:PORT, such as "0.0.0.0:8080" or "[::]:8080"' }),
    httpApi: httpApiSchema,
    log: section(
      {
        level: word(['debug', 'info', 'warn', 'error'], 'Least level that is logged: info is what changed, debug also why nothing did.', 'info'),
        pretty: flag('Lines for people instead of JSON.', false),
      },
      'What is logged.',
    ),
    shutdown: section({ gracePeriod: duration({ description: "How long work under way may take to end after a signal. Keep it below the pod's terminationGracePeriodSeconds.", default: '20s', min: '0s', max: '1h' }) }, 'How the process ends.'),
  },
  { additionalProperties: false, description: 'Configuration of one job-chief instance.' },
);

/** The schema with everything it refers to. */
export const configJsonSchema: JsonObject = { ...(configSchema as unknown as JsonObject), $defs: { ...jobDefaultsDefinitions } };
