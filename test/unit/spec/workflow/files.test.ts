import { describe, expect, it } from 'vitest';
import { matching } from '../../../../src/spec/workflow-files.ts';
import { aManifest, aWorkflow, codes, parseWorkflow, validWorkflow, withSteps, type Files } from './input.ts';

const load = withSteps('{name: load, jobFile: load.yaml}');
const problemsOf = (manifest: string, text = load): readonly object[] => parseWorkflow(text, { 'load.yaml': manifest }).problems;

describe('jobFile', () => {
  it('is the manifest as it stands, but for its name and namespace', () => {
    const manifest = aManifest('tolerations: []').replace('spec:\n  template:', 'spec:\n  backoffLimit: 4\n  completions: 3\n  template:');
    expect(validWorkflow(load, { 'load.yaml': manifest }).steps[0]?.work).toEqual({
      kind: 'manifests',
      several: false,
      manifests: [
        {
          file: 'load.yaml',
          template: {
            metadata: { labels: { app: 'load' } },
            spec: { backoffLimit: 4, completions: 3, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'acme/load' }], tolerations: [] } } },
          },
        },
      ],
    });
  });

  it('may be JSON', () => {
    const manifest = JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', spec: { template: { spec: { restartPolicy: 'OnFailure', containers: [{ name: 'a', image: 'b' }] } } } });
    expect(validWorkflow(load, { 'load.yaml': manifest }).steps[0]?.work).toMatchObject({ manifests: [{ template: { metadata: {}, spec: {} } }] });
  });

  it('may be what kubectl create --dry-run writes', () => {
    const manifest = 'apiVersion: batch/v1\nkind: Job\nmetadata:\n  creationTimestamp: null\n  name: load\nspec:\n  template:\n    metadata:\n      creationTimestamp: null\n    spec:\n      containers:\n      - image: acme/load\n        name: load\n        resources: {}\n      restartPolicy: Never\nstatus: {}\n';
    expect(validWorkflow(load, { 'load.yaml': manifest }).steps[0]?.work).toMatchObject({ manifests: [{ template: { metadata: {}, spec: { template: { metadata: {}, spec: { restartPolicy: 'Never' } } } } }] });
  });

  it('gets what the operator fills in everywhere', () => {
    const { steps } = validWorkflow(load, { 'load.yaml': aManifest() }, { jobDefaults: { imageRegistry: 'r.example.com', labels: { cost: '1' } } });
    expect(steps[0]?.work).toMatchObject({ manifests: [{ template: { metadata: { labels: { app: 'load', cost: '1' } }, spec: { template: { spec: { containers: [{ image: 'r.example.com/acme/load' }] } } } } }] });
  });

  it('may be an undo', () => {
    const text = withSteps('{name: load, job: {}, undo: {jobFile: load.yaml}}');
    expect(validWorkflow(text, { 'load.yaml': aManifest() })).toMatchObject({ files: ['load.yaml'], steps: [{ undo: { verbatim: true, template: { spec: { template: { spec: { containers: [{ image: 'acme/load' }] } } } } } }] });
  });

  const cases: readonly [what: string, manifest: string, code: string, message: string][] = [
    ['no YAML', 'a: [', 'InvalidYaml', 'load.yaml:1:5: the YAML is broken: flow sequence in block collection must be sufficiently indented and end with a ]'],
    ['two documents', `${aManifest()}---\na: 1\n`, 'MultipleDocuments', 'load.yaml:9:1: there is more than one YAML document, a spec must be one'],
    ['nothing', '', 'NotAJob', 'load.yaml:1:1: this is no manifest of a Job'],
    ['a list', '- a', 'NotAJob', 'load.yaml:1:1: this is no manifest of a Job'],
    ['a Pod', 'apiVersion: v1\nkind: Pod\n', 'NotAJob', 'load.yaml:2:7: kind: this is no manifest of a batch/v1 Job: its kind is "Pod"'],
    ['a CronJob', 'apiVersion: batch/v1\nkind: CronJob\n', 'NotAJob', 'load.yaml:2:7: kind: this is no manifest of a batch/v1 Job: its kind is "CronJob"'],
    ['a Job of another version', 'apiVersion: batch/v2\nkind: Job\n', 'NotAJob', 'load.yaml:1:13: apiVersion: this is no manifest of a batch/v1 Job: its apiVersion is "batch/v2"'],
    ['no kind', 'apiVersion: batch/v1\nspec: {}\n', 'NotAJob', 'load.yaml:1:1: kind: a manifest of a Job has a field "kind"'],
    ['no spec', 'apiVersion: batch/v1\nkind: Job\n', 'MissingField', 'load.yaml:1:1: spec: the field "spec" is required'],
    ['no restartPolicy', aManifest().replace('      restartPolicy: Never\n', ''), 'MissingField', 'load.yaml:6:5: spec.template.spec.restartPolicy: the field "restartPolicy" is required'],
    ['a misspelt field', aManifest('tolerates: []'), 'UnknownField', 'load.yaml:9:7: spec.template.spec.tolerates: unknown field "tolerates"'],
    ['an owner', aManifest().replace('name: load,', 'name: load, ownerReferences: [],'), 'RefusedField', 'load.yaml:3:24: metadata.ownerReferences: "ownerReferences" must not be set here'],
    ['a finalizer', aManifest().replace('name: load,', 'name: load, finalizers: [],'), 'RefusedField', 'load.yaml:3:24: metadata.finalizers: "finalizers" must not be set here'],
    ['a selector', aManifest().replace('spec:\n', 'spec:\n  selector: {}\n'), 'RefusedField', 'load.yaml:5:3: spec.selector: "selector" must not be set here'],
    ['a status', `${aManifest()}status: {active: 1}\n`, 'RefusedField', 'load.yaml:9:1: status: "status" must not be set here'],
    ['its own retention', aManifest().replace('spec:\n', 'spec:\n  ttlSecondsAfterFinished: 5\n'), 'RefusedField', 'load.yaml:5:3: spec.ttlSecondsAfterFinished: "ttlSecondsAfterFinished" must not be set here'],
    ['its own timeout', aManifest().replace('spec:\n', 'spec:\n  activeDeadlineSeconds: 5\n'), 'RefusedField', 'load.yaml:5:3: spec.activeDeadlineSeconds: "activeDeadlineSeconds" must not be set here'],
    ['labels of job-chief', aManifest().replace('app: load', 'job-chief/run: x'), 'ReservedName', 'load.yaml:3:49: metadata.labels["job-chief/run"]: the key "job-chief/run" belongs to job-chief and must not be set on Jobs or pods'],
    ['a reserved variable', aManifest().replace('acme/load}', 'acme/load, env: [{name: JOB_CHIEF_X, value: ""}]}'), 'ReservedName', 'load.yaml:8:64: spec.template.spec.containers[0].env[0].name: the environment variable "JOB_CHIEF_X" is set by job-chief or Kubernetes and must not be set here'],
    ['a policy that needs another', aManifest().replace('spec:\n', 'spec:\n  podFailurePolicy: {rules: []}\n').replace('Never', 'OnFailure'), 'ConflictingFields', 'load.yaml:5:3: spec.podFailurePolicy: podFailurePolicy needs restartPolicy Never'],
    ['a word that tools read differently', aManifest('hostname: on'), 'AmbiguousWord', 'load.yaml:9:17: spec.template.spec.hostname: on is read as text by some YAML tools and as a boolean by others'],
    ['a reference, which stays as it is', aManifest().replace('acme/load', 'acme/load:$(params.tag)'), 'UnreplacedReference', 'load.yaml:8:50: spec.template.spec.containers[0].image: $(params.tag) is not replaced in a file, and reaches the container as it stands'],
  ];
  it.each(cases)('with %s', (_what, manifest, code, message) => {
    expect(problemsOf(manifest)).toMatchObject([{ code, message, path: 'steps[0].jobFile', position: { file: 'configmap/etl', line: 6, column: 27 }, inside: { key: 'load.yaml' } }]);
  });

  it('keeps a podReplacementPolicy that only job-chief’s own defaults would be against', () => {
    expect(problemsOf(aManifest().replace('spec:\n', 'spec:\n  podReplacementPolicy: TerminatingOrFailed\n'))).toEqual([]);
  });

  it('several problems of one file are several problems', () => {
    expect(problemsOf(aManifest('tolerates: []', 'hostnam: x'))).toMatchObject([{ inside: { key: 'load.yaml', line: 9, column: 7 } }, { inside: { key: 'load.yaml', line: 10, column: 7 } }]);
  });

  it('a file that two steps name is read once', () => {
    expect(codes(parseWorkflow(withSteps('{name: a, jobFile: load.yaml}', '{name: b, jobFile: load.yaml}'), { 'load.yaml': aManifest('tolerates: []') }))).toEqual(['UnknownField steps[0].jobFile']);
  });

  it('does not go with what would change it', () => {
    expect(codes(parseWorkflow(withSteps('{name: a, jobFile: load.yaml, forEach: {count: 2}, files: {/x: load.yaml}}'), { 'load.yaml': aManifest() })).toSorted()).toEqual(['ConflictingFields steps[0].files', 'ConflictingFields steps[0].forEach']);
  });
});

describe('jobFiles', () => {
  const files: Files = { 'load-b.yaml': aManifest(), 'load-a.yaml': aManifest(), 'check.yaml': aManifest() };

  it('are the data keys that the pattern matches, in their order', () => {
    const spec = validWorkflow(withSteps('{name: load, jobFiles: "load-?.yaml", maxParallel: 1}', '{name: check, jobFiles: c*}'), files);
    expect(spec.steps.map(({ work }) => (work.kind === 'manifests' ? [work.several, work.maxParallel, ...work.manifests.map(({ file }) => file)] : work))).toEqual([
      [true, 1, 'load-a.yaml', 'load-b.yaml'],
      [true, undefined, 'check.yaml'],
    ]);
    expect(spec.files).toEqual(['check.yaml', 'load-a.yaml', 'load-b.yaml']);
  });

  it('must match something', () => {
    expect(parseWorkflow(withSteps('{name: load, jobFiles: "lod-*"}', '{name: a, jobFiles: "*.yaml"}'), files).problems).toMatchObject([
      { code: 'UnknownFile', message: 'no data key matches "lod-*"', path: 'steps[0].jobFiles', hint: 'the data keys are "check.yaml", "load-a.yaml" and "load-b.yaml"' },
    ]);
  });

  it('are told apart by their problems', () => {
    const broken = { ...files, 'load-b.yaml': 'kind: Pod' };
    expect(parseWorkflow(withSteps('{name: load, jobFiles: "*.yaml"}'), broken).problems).toMatchObject([{ code: 'NotAJob', path: 'steps[0].jobFiles', inside: { key: 'load-b.yaml', line: 1, column: 7 } }]);
  });

  it('have no outputs: which Job would speak for all?', () => {
    expect(codes(parseWorkflow(withSteps('{name: load, jobFiles: "*", outputs: {x: {type: string}}}'), files))).toEqual(['ConflictingFields steps[0].outputs']);
  });

  const patterns: readonly [pattern: string, keys: readonly string[]][] = [
    ['*', ['a.b', 'a-b', 'ab', 'xab.c']],
    ['a*', ['a.b', 'a-b', 'ab']],
    ['a?b', ['a.b', 'a-b']],
    ['a.b', ['a.b']],
    ['?', []],
    ['*b*', ['a.b', 'a-b', 'ab', 'xab.c']],
    ['**c', ['xab.c']],
    ['b', []],
  ];
  it.each(patterns)('%s', (pattern, keys) => {
    expect(matching(pattern, ['spec.yaml', 'a.b', 'a-b', 'ab', 'xab.c']).toSorted()).toEqual(keys.toSorted());
  });
});

describe('files', () => {
  const step = '{name: a, job: {}, files: {/app/run.sh: run.sh, /app/again.sh: run.sh}}';

  it('are data keys in the containers', () => {
    expect(validWorkflow(withSteps(step), { 'run.sh': 'true' })).toMatchObject({ files: ['run.sh'], steps: [{ files: { '/app/run.sh': 'run.sh', '/app/again.sh': 'run.sh' } }] });
  });

  it('must be there', () => {
    expect(parseWorkflow(withSteps(step), { 'rum.sh': 'true' }).problems).toMatchObject([
      { code: 'UnusedFile', path: 'data["rum.sh"]' },
      { code: 'UnknownFile', path: 'steps[0].files["/app/run.sh"]', message: 'there is no data key "run.sh" beside the spec', hint: 'did you mean "rum.sh"?' },
      { code: 'UnknownFile', path: 'steps[0].files["/app/again.sh"]' },
    ]);
  });

  it('are not the spec itself', () => {
    expect(parseWorkflow(withSteps('{name: a, job: {}, files: {/spec.yaml: spec.yaml}}')).problems).toMatchObject([{ code: 'UnknownFile', message: '"spec.yaml" is this spec itself' }]);
  });

  it('that nothing names are unused', () => {
    expect(codes(parseWorkflow(aWorkflow(), { 'run.sh': 'true' }))).toEqual(['UnusedFile data["run.sh"]']);
  });
});

describe('the hash', () => {
  const text = withSteps('{name: a, job: {}, files: {/app/run.sh: run.sh}}', '{name: load, jobFile: load.yaml}');
  const files: Files = { 'run.sh': 'true', 'load.yaml': aManifest() };
  const hash = (changed: Files): string | undefined => parseWorkflow(text, { ...files, ...changed }).hash;

  it('changes with a file that the spec names', () => {
    const hashes = [hash({}), hash({ 'run.sh': 'false' }), hash({ 'load.yaml': aManifest('hostname: x') })];
    expect(new Set(hashes).size).toBe(3);
  });

  it('does not change with other files', () => {
    expect(hash({ 'other.sh': 'x' })).toBe(hash({}));
  });
});
