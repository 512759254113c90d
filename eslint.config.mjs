import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Allowed imports between packages, by the tag in package.json. CONTRIBUTING.md has the reasons. */
const ARROWS = {
  'generated-file': [],
  shape: ['generated-file'],
  config: ['generated-file', 'shape'],
  session: ['config'],
  'sql-text': ['generated-file'],
  catalog: ['generated-file', 'shape'],
  introspect: ['config', 'session', 'catalog', 'sql-text'],
  'table-defs': ['config', 'catalog', 'shape', 'sql-text', 'generated-file'],
  'ddl-render': ['table-defs', 'sql-text'],
  'staging-render': ['table-defs', 'sql-text'],
  tracker: ['table-defs', 'shape', 'sql-text', 'config', 'session', 'generated-file'],
  cli: [
    'config',
    'session',
    'generated-file',
    'shape',
    'sql-text',
    'catalog',
    'introspect',
    'table-defs',
    'ddl-render',
    'staging-render',
    'tracker',
  ],
  nx: [],
};

/** Names that Node defines in every module, and in CommonJS modules. */
const NODE_GLOBALS = Object.getOwnPropertyNames(globalThis);
const COMMONJS_GLOBALS = ['require', 'module', 'exports', '__dirname', '__filename'];

export default tseslint.config(
  { ignores: ['**/dist/', '**/.nx/', '**/tmp/', 'fixtures/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  tseslint.configs.recommended,
  {
    plugins: { '@nx': nx },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'Name what is exported.' },
        { selector: ':matches(ExportDefaultDeclaration)', message: 'No default exports.' },
      ],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: { globals: readonly(NODE_GLOBALS) },
    rules: {
      eqeqeq: 'error',
      'no-debugger': 'error',
      'no-dupe-keys': 'error',
      'no-undef': 'error',
      'no-unreachable': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  { files: ['**/*.cjs'], languageOptions: { globals: readonly(COMMONJS_GLOBALS) } },
  {
    files: ['packages/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/*.fixture.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          depConstraints: Object.entries(ARROWS).map(([sourceTag, onlyDependOnLibsWithTags]) => ({
            sourceTag,
            onlyDependOnLibsWithTags,
          })),
        },
      ],
    },
  },
  {
    files: ['packages/cli/src/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/*.fixture.ts', '**/print.ts', '**/apply/progress.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['stdout', 'stderr'].map((property) => ({
          object: 'process',
          property,
          message: 'print.ts prints, and shows what terminals and CI logs would obey.',
        })),
      ],
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.config.mjs', 'jest-setup.mjs', 'tools/nx-targets.cjs', 'packages/nx-plugin/**'],
    rules: { 'no-restricted-syntax': 'off', '@typescript-eslint/no-require-imports': 'off' },
  },
  prettier,
);

function readonly(names) {
  return Object.fromEntries(names.map((name) => [name, 'readonly']));
}
