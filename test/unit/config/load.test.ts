import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, type LoadedConfig } from '../../../src/config/load.ts';
import { laxPolicy } from '../../support/builders.ts';
import { settings } from '../../../src/config/settings.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'job-chief-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function load(text: string, env: Record<string, string> = {}, flags: Record<string, string | undefined> = {}): LoadedConfig {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, text);
  return loadConfig({ env, file, flags });
}

/** What start-up says, with the folder left out. */
function complaint(text: string, env: Record<string, string> = {}): string[] {
  try {
    load(text, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message.replaceAll(`${folder}/`, '').split('\n').slice(1).map((line) => line.trim());
  }
  throw new Error('the configuration was accepted');
}

describe('configuration', () => {
  it('is complete without a file and without variables', () => {
    expect(loadConfig({ env: {} }).config).toEqual({
      namespace: undefined,
      instance: 'default',
      kubeconfig: undefined,
      context: undefined,
      specs: { kind: 'configMaps' },
      connections: new Map(),
      jobDefaults: undefined,
      podPolicy: laxPolicy,
      beforeDelete: { urlPrefixes: [], headersFolder: undefined },
      status: { writeBack: true },
      records: { enabled: true },
      messageHistory: true,
      events: true,
      api: { limits: { qps: 50, burst: 100 }, concurrency: 32, timeout: 15_000 },
      reconcile: { concurrency: 128 },
      limits: { maxJobs: undefined, groups: new Map(), startRate: undefined },
      highAvailability: { enabled: false, lease: 'job-chief', leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 },
      listen: { host: '0.0.0.0', port: 8080 },
      httpApi: { enabled: false, listen: { host: '0.0.0.0', port: 8443 }, tokens: undefined, tls: undefined, rateLimit: { perSecond: 50, burst: 100 }, publicUrl: '' },
      log: { level: 'info', pretty: false },
      shutdown: { gracePeriod: 20_000 },
    });
  });

  it('takes an empty file as no file', () => {
    expect(load('').config).toEqual(loadConfig({ env: {} }).config);
    expect(load('# nothing yet\n').config).toEqual(loadConfig({ env: {} }).config);
  });

  it('reads every section', () => {
    const { config, warnings } = load(`
namespace: etl
instance: blue
kubeconfig: kube/config
context: west
specs: {source: folder, folder: specs}
connections:
  main: {folder: /etc/main, secretName: main-db, injectable: true, keys: {password: pw}}
jobDefaults: {imageRegistry: registry.example.com, labels: {team: media}, tolerations: [{key: spot, operator: Exists}]}
podPolicy: {restricted: true, serviceAccounts: [worker], imagePrefixes: [ghcr.io/acme], secrets: [], deniedSecrets: [tokens], volumeTypes: [emptyDir], nodeSelector: {pool: batch}, maxPerContainer: {cpu: 2, memory: 4Gi}}
beforeDelete: {urlPrefixes: ['https://hooks.example.com/jobs'], headersFolder: headers}
status: {writeBack: false}
records: {enabled: true}
messageHistory: false
events: false
api: {qps: 0, burst: 7, concurrency: 3, timeout: 1m}
reconcile: {concurrency: 2}
limits: {maxJobs: 50, groups: {gpu: 4}, startRate: 100/1m}
highAvailability: {enabled: true, leaseDuration: 30s}
listen: '[::]:9090'
httpApi: {enabled: true, listen: ':9443', tokens: tokens, tls: {cert: tls/tls.crt, key: tls/tls.key, clientCa: /ca.crt, clients: {ci: submit}}, rateLimit: {perSecond: 5, burst: 9}, publicUrl: 'https://jobs.example.com/'}
log: {level: warn, pretty: true}
shutdown: {gracePeriod: 5s}
`);
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      namespace: 'etl',
      instance: 'blue',
      kubeconfig: join(folder, 'kube/config'),
      context: 'west',
      specs: { kind: 'folder', folder: join(folder, 'specs') },
      connections: new Map([['main', { type: 'pgBoss', folder: '/etc/main', secretName: 'main-db', injectable: true, keys: { password: 'pw' } }]]),
      jobDefaults: { imageRegistry: 'registry.example.com', labels: { team: 'media' }, tolerations: [{ key: 'spot', operator: 'Exists' }] },
      podPolicy: {
        ...laxPolicy,
        restricted: true,
        serviceAccounts: ['worker'],
        imagePrefixes: ['ghcr.io/acme'],
        secrets: [],
        deniedSecrets: ['main-db', 'tokens'],
        volumeTypes: ['emptyDir'],
        nodeSelector: { pool: 'batch' },
        maxPerContainer: { cpu: '2', memory: '4Gi' },
      },
      beforeDelete: { urlPrefixes: ['https://hooks.example.com/jobs'], headersFolder: join(folder, 'headers') },
      status: { writeBack: false },
      records: { enabled: true },
      messageHistory: false,
      events: false,
      api: { limits: 'off', concurrency: 3, timeout: 60_000 },
      reconcile: { concurrency: 2 },
      limits: { maxJobs: 50, groups: new Map([['gpu', 4]]), startRate: { starts: 100, within: 60_000 } },
      highAvailability: { enabled: true, lease: 'job-chief-blue', leaseDuration: 30_000, renewDeadline: 10_000, retryPeriod: 2_000 },
      listen: { host: '::', port: 9090 },
      httpApi: {
        enabled: true,
        listen: { host: '0.0.0.0', port: 9443 },
        tokens: join(folder, 'tokens'),
        tls: { cert: join(folder, 'tls/tls.crt'), key: join(folder, 'tls/tls.key'), clientCa: '/ca.crt', clients: { ci: 'submit' } },
        rateLimit: { perSecond: 5, burst: 9 },
        publicUrl: 'https://jobs.example.com',
      },
      log: { level: 'warn', pretty: true },
      shutdown: { gracePeriod: 5_000 },
    });
  });

  it.each([
    ['specs: {source: configMaps}', true],
    ['specs: {source: configMaps}\nrecords: {enabled: false}', false],
    ['specs: {source: folder, folder: x}', false],
    ['specs: {source: folder, folder: x}\nrecords: {enabled: true}', true],
    ['specs: {source: folder, folder: x}\nrecords: {}', false],
  ])('%s: records of runs are kept: %s', (text, expected) => {
    expect(load(text).config.records.enabled).toBe(expected);
  });

  it('cannot be changed afterwards', () => {
    const { config } = load('jobDefaults: {labels: {team: media}}\nconnections: {main: {folder: /x}}');
    expect(Object.isFrozen(config) && Object.isFrozen(config.api) && Object.isFrozen(config.jobDefaults?.labels) && Object.isFrozen(config.connections.get('main')?.keys)).toBe(true);
  });

  it.each<[string, string]>([
    ['podPolicy: {secret: [a]}', 'did you mean "secrets"?'],
    ['podPolicy: {imagePrefixes: [acme]}', 'must begin with a registry'],
    ["podPolicy: {imagePrefixes: ['ghcr.io/acme/app:1']}", 'without a tag'],
    ['podPolicy: {imagePrefixes: ghcr.io}', 'must be a list'],
    ['podPolicy: {volumeTypes: [hostPath]}', 'hostPath'],
    ['podPolicy: {maxPerContainer: {cpu: lots}}', 'must be a quantity'],
    ['podPolicy: {secrets: [a*b]}', 'must be a name'],
    ['podPolicy: []', 'must be a mapping'],
  ])('a policy that is not understood keeps job-chief from starting: %s', (text, message) => {
    expect(() => load(text)).toThrow(message);
  });

  it('puts flags before variables before the file', () => {
    const text = 'namespace: file\ninstance: file\nlog: {level: error, pretty: true}';
    const { config } = load(text, { JOB_CHIEF_NAMESPACE: 'variable', JOB_CHIEF_INSTANCE: 'variable', JOB_CHIEF_LOG_LEVEL: 'debug', JOB_CHIEF_EVENTS: 'false', JOB_CHIEF_API_QPS: '9', JOB_CHIEF_LISTEN: ':1', JOB_CHIEF_CONTEXT: '' }, { namespace: 'flag', context: undefined });
    expect(config).toMatchObject({ namespace: 'flag', instance: 'variable', context: undefined, log: { level: 'debug', pretty: true }, events: false, api: { limits: { qps: 9, burst: 100 } }, listen: { host: '0.0.0.0', port: 1 } });
  });

  it('finds the file by its variable, and by the flag before that', () => {
    const [one, two] = [join(folder, 'one.yaml'), join(folder, 'two.yaml')];
    writeFileSync(one, 'instance: one');
    writeFileSync(two, 'instance: two');
    expect(loadConfig({ env: { JOB_CHIEF_CONFIG: one } }).config.instance).toBe('one');
    expect(loadConfig({ env: { JOB_CHIEF_CONFIG: one }, file: two }).config.instance).toBe('two');
  });

  it('takes relative paths of variables and flags from the working directory', () => {
    expect(load('', {}, { kubeconfig: 'kube' }).config.kubeconfig).toBe(join(process.cwd(), 'kube'));
    expect(load('specs: {source: folder}', { JOB_CHIEF_SPECS_FOLDER: 'specs' }).config.specs).toEqual({ kind: 'folder', folder: join(process.cwd(), 'specs') });
  });

  it('sets every single value by its variable', () => {
    const samples: Record<string, string> = { number: '3', switch: 'true' };
    const words: Record<string, string> = { 'specs.source': 'folder', 'specs.folder': '/specs', listen: ':80', 'log.level': 'warn', 'api.timeout': '9s', 'shutdown.gracePeriod': '9s', 'highAvailability.leaseDuration': '9s', 'highAvailability.renewDeadline': '6s', 'highAvailability.retryPeriod': '2s', connectionsFolder: folder, 'limits.startRate': '9/1m', 'httpApi.listen': ':81', 'httpApi.publicUrl': 'https://jobs.example.com' };
    const single = settings.filter(({ variable }) => variable !== undefined);
    const env = Object.fromEntries(single.map(({ variable, path, type }) => [String(variable), words[path] ?? samples[type] ?? 'some-text']));
    expect(single.length).toBeGreaterThan(15);
    expect(loadConfig({ env }).warnings).toEqual([]);
  });

  it('finds connections as sub-folders, and lets entries win', () => {
    for (const name of ['alpha', 'beta', '..data']) mkdirSync(join(folder, 'connections', name), { recursive: true });
    const { config } = load('connectionsFolder: connections\nconnections: {beta: {secretName: b, injectable: true}, gamma: {type: amqp, folder: /gamma, keys: {vhost: v}}}');
    expect([...config.connections]).toMatchObject([
      ['alpha', { folder: join(folder, 'connections/alpha'), injectable: false }],
      ['beta', { folder: join(folder, 'connections/beta'), injectable: true, secretName: 'b' }],
      ['gamma', { type: 'amqp', folder: '/gamma', keys: { vhost: 'v' } }],
    ]);
  });
});

describe('the name of the Lease', () => {
  it.each([
    ['default', 'job-chief'],
    ['blue', 'job-chief-blue'],
    ['Team_Blue', expect.stringMatching(/^job-chief-team-blue-[a-z2-7]{8}$/u)],
    ['a..b', expect.stringMatching(/^job-chief-a-b-[a-z2-7]{8}$/u)],
  ])('of the instance %s is one that Kubernetes takes', (instance, expected) => {
    expect(load(`instance: ${instance}`).config.highAvailability.lease).toEqual(expected);
  });

  it('may be chosen', () => {
    expect(load('instance: blue', { JOB_CHIEF_HIGH_AVAILABILITY_LEASE: 'mine', JOB_CHIEF_HIGH_AVAILABILITY_ENABLED: 'true' }).config.highAvailability).toMatchObject({ enabled: true, lease: 'mine' });
  });
});

describe('a configuration that cannot be used', () => {
  const rows: [name: string, text: string, lines: string[]][] = [
    ['has an unknown key', 'namespce: etl', ['config.yaml:1:1: namespce: unknown field "namespce" (did you mean "namespace"?)']],
    ['has an unknown key further in', 'log:\n  levl: info', ['config.yaml:2:3: log.levl: unknown field "levl" (did you mean "level"?)']],
    ['has an unknown setting of a connection', 'connections: {main: {folder: /x, passwort: yy}}', ['config.yaml:1:34: connections.main.passwort: unknown field "passwort" (the fields here are type, folder, secretName, injectable, keys)']],
    ['has a key for a setting of other connections', 'connections: {main: {type: sqs, folder: /x, keys: {vhost: v}}}', ['config.yaml:1:52: connections.main.keys.vhost: a connection of type sqs has no setting "vhost" (its settings are region, endpoint, access-key-id, secret-access-key, session-token)']],
    ['has broken YAML', 'log: {level: info', ['config.yaml:1:18: the YAML is broken: flow map in block collection must be sufficiently indented and end with a } (fix the YAML)']],
    ['is a list', '- a', ['config.yaml:1:1: the configuration must be a mapping of fields']],
    ['has two values for a key', 'instance: a\ninstance: b', ['config.yaml:2:1: instance: the field "instance" is set twice in one mapping']],
    ['has a wrong duration', 'api: {timeout: 10}', ['config.yaml:1:16: api.timeout: must be a duration such as "90s", "1h30m" or "7d", is the number 10 (write it with a unit, such as "10s")']],
    ['has a duration out of bounds', 'api: {timeout: 1h}', ['config.yaml:1:16: api.timeout: must be from 1s to 5m, is "1h"']],
    ['has an unknown kind of connection', 'connections: {main: {type: kafka, folder: /x}}', ['config.yaml:1:28: connections.main.type: must be "pgBoss", "amqp" or "sqs", is "kafka"']],
    ['wants a folder of specs without naming it', 'specs: {source: folder}', ['config.yaml:1:1: specs.folder: the field "folder" is required with "source: folder" (name the folder that holds the specs)']],
    ['names a folder of specs without wanting it', 'specs: {folder: x}', ['config.yaml:1:9: specs.folder: a folder is given, but specs are read from ConfigMaps (write "source: folder" beside it, or remove it)']],
    ['has a connection without a folder', 'connections: {main: {}}', ['config.yaml:1:15: connections.main.folder: the field "folder" is required (name the folder into which the Secret is mounted)']],
    ['has an injectable connection without a Secret', 'connections: {main: {folder: /x, injectable: true}}', ['config.yaml:1:15: connections.main.secretName: the field "secretName" is required where "injectable" is true (workers get the connection from that Secret)']],
    ['lets a leader act for as long as others wait', 'highAvailability: {leaseDuration: 10s}', ['config.yaml:1:1: highAvailability.renewDeadline: "renewDeadline" must be shorter than "leaseDuration", or two replicas could act at once']],
    ['leaves no time for a second renewal', 'highAvailability: {retryPeriod: 4s, renewDeadline: 7s}', ['config.yaml:1:33: highAvailability.retryPeriod: "retryPeriod" must be at most half of "renewDeadline", so that one failed renewal is no loss']],
    ['has a port that does not exist', 'listen: 0.0.0.0:70000', ['config.yaml:1:9: listen: there is no port 70000']],
    ['serves an API that nobody could use', 'httpApi: {enabled: true}', ['config.yaml:1:1: httpApi.tokens: nobody could log in (name the folder or file of tokens, or tls.clientCa: there is no access without either)']],
    ['serves an API on the port of the probes', 'httpApi: {enabled: true, tokens: t, listen: ":8080"}', ['config.yaml:1:45: httpApi.listen: health checks and metrics are on port 8080 already (the HTTP API has a port of its own)']],
    ['has half of a certificate', 'httpApi: {tls: {cert: c}}', ['config.yaml:1:11: httpApi.tls.key: the field "key" is required beside "cert"']],
    ['trusts clients and has no certificate of its own', 'httpApi: {tls: {clientCa: c}}', ['config.yaml:1:11: httpApi.tls.cert: client certificates need a certificate of the server']],
    ['names clients that nobody signs', 'httpApi: {tls: {clients: {ci: read}}}', ['config.yaml:1:11: httpApi.tls.clientCa: clients are given, but nobody who signs their certificates']],
    ['gives a role that does not exist', 'httpApi: {tls: {clients: {ci: root}}}', ['config.yaml:1:31: httpApi.tls.clients.ci: must be "read", "submit" or "admin", is "root"']],
    ['has an address that is none', 'listen: 8080', ['config.yaml:1:9: listen: must be HOST:PORT, such as "0.0.0.0:8080" or "[::]:8080", is the number 8080']],
    ['has default labels that are not the operator\'s to give', 'jobDefaults:\n  labels:\n    team: media\n    app.kubernetes.io/managed-by: me\n    job-chief/name: x\n    app.kubernetes.io/instance: shop', [
      'config.yaml:4:5: jobDefaults.labels["app.kubernetes.io/managed-by"]: the key "app.kubernetes.io/managed-by" belongs to job-chief and must not be set on Jobs or pods',
      'config.yaml:5:5: jobDefaults.labels["job-chief/name"]: the key "job-chief/name" belongs to job-chief and must not be set on Jobs or pods',
      'config.yaml:6:5: jobDefaults.labels["app.kubernetes.io/instance"]: the key "app.kubernetes.io/instance" belongs to Argo CD and must not be set on Jobs or pods',
    ]],
    ['has job defaults that Kubernetes does not know', 'jobDefaults: {resources: {request: {cpu: 1}}}', ['config.yaml:1:27: jobDefaults.resources.request: unknown field "request" (did you mean "requests"?)']],
  ];
  it.each(rows)('%s', (_, text, lines) => {
    const found = complaint(text);
    expect(found.map((line) => line.replace(/ \(.*\)$/, ''))).toEqual(lines.map((line) => line.replace(/ \(.*\)$/, '')));
  });

  it('names the variable that is wrong', () => {
    expect(complaint('log: {level: info}', { JOB_CHIEF_LOG_LEVEL: 'loud', JOB_CHIEF_API_QPS: 'many' })).toEqual([
      'JOB_CHIEF_API_QPS: api.qps: must be a whole number, is the text "many"',
      'JOB_CHIEF_LOG_LEVEL: log.level: must be "debug", "info", "warn" or "error", is "loud"',
    ]);
  });

  it('lists all problems at once', () => {
    expect(complaint('namespce: etl\nlog: {levl: info}\nevents: perhaps')).toHaveLength(3);
  });

  it('says which file cannot be read', () => {
    expect(() => loadConfig({ env: {}, file: join(folder, 'absent.yaml') })).toThrow('absent.yaml');
  });

  it('says which folder of connections cannot be read', () => {
    expect(complaint('connectionsFolder: absent').join()).toContain('ENOENT');
  });

  it('refuses folders that cannot be the name of a connection', () => {
    mkdirSync(join(folder, 'odd', 'Not A Name'), { recursive: true });
    expect(complaint('connectionsFolder: odd').join()).toContain('cannot be the name of a connection');
  });
});

describe('variables that mean nothing', () => {
  it('are a warning with the nearest name', () => {
    expect(loadConfig({ env: { JOB_CHIEF_NAMESPCE: 'x' } }).warnings).toEqual(['the environment variable JOB_CHIEF_NAMESPCE is not used; did you mean JOB_CHIEF_NAMESPACE?']);
  });

  it('are none when a Service named job-chief made them', () => {
    const env = { JOB_CHIEF_SERVICE_HOST: '10.0.0.1', JOB_CHIEF_PORT: 'tcp://10.0.0.1:80', JOB_CHIEF_PORT_80_TCP_ADDR: '10.0.0.1', JOB_CHIEF_BLUE_SERVICE_PORT_HTTP: '80' };
    expect(loadConfig({ env }).warnings).toEqual([]);
  });
});
