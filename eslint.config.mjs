import js from '@eslint/js';
import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Which ring may import which; `main` and `cli` compose everything, so nothing imports them. */
const rings = [
  { target: './src/lib', from: './src', except: ['./lib'] },
  { target: './src/spec', from: './src', except: ['./spec', './lib'] },
  { target: './src/plan', from: './src', except: ['./plan', './spec', './lib'] },
  { target: './src/reconcile', from: './src', except: ['./reconcile', './plan', './spec', './lib'] },
  { target: './src/adapters', from: './src', except: ['./adapters', './reconcile', './plan', './spec', './lib', './config'] },
  { target: './src/config', from: './src', except: ['./config', './spec', './lib'] },
  { target: './src/simulation', from: './src', except: ['./simulation', './adapters', './reconcile', './plan', './spec', './lib', './config'] },
];
const siblings = ['kubernetes', 'queues', 'files', 'http', 'metrics', 'log'];
const adapters = siblings.map((name) => ({ target: `./src/adapters/${name}`, from: './src/adapters', except: [`./${name}`] }));

const pure = {
  'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance', 'crypto'],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'take `now` as an argument' },
    { object: 'Math', property: 'random', message: 'plan must be deterministic' },
  ],
  'no-restricted-syntax': [
    'error',
    { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'take `now` as an argument' },
    { selector: 'AwaitExpression', message: 'this ring is synchronous' },
    { selector: ':function[async=true]', message: 'this ring is synchronous' },
  ],
};

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'coverage', 'examples', '**/generated/**', '*.mjs'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'import-x/no-default-export': 'error',
      eqeqeq: 'error',
      complexity: ['error', 12],
      'max-depth': ['error', 3],
      'max-params': ['error', 4],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ['src/**'], rules: { 'import-x/no-restricted-paths': ['error', { zones: [...rings, ...adapters] }], 'no-console': 'error' } },
  {
    files: ['src/plan/**', 'src/spec/**', 'src/lib/**'],
    rules: { ...pure, '@typescript-eslint/no-restricted-imports': ['error', { patterns: [{ group: ['@kubernetes/client-node'], allowTypeImports: true, message: 'types only' }] }] },
  },
  { files: ['src/lib/clock.ts', 'src/lib/sleep.ts'], rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off', 'no-restricted-syntax': 'off' } },
  { files: ['src/reconcile/**', 'src/adapters/**', 'src/simulation/**'], rules: { 'no-restricted-globals': ['error', 'setTimeout', 'setInterval'], 'no-restricted-properties': pure['no-restricted-properties'] } },
  { files: ['test/**', 'hack/**', '*.config.ts'], rules: { 'max-lines-per-function': 'off', 'max-lines': 'off', 'import-x/no-default-export': 'off', '@typescript-eslint/no-non-null-assertion': 'off', complexity: 'off', 'max-params': 'off' } },
);
