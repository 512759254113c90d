import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** design: which package may import which. */
const ARROWS = {
  config: [],
  'generated-file': [],
  'sql-text': ['generated-file'],
  catalog: ['generated-file'],
  introspect: ['config', 'catalog'],
  'table-defs': ['config', 'catalog', 'sql-text', 'generated-file'],
  'ddl-render': ['table-defs', 'sql-text'],
  'staging-render': ['table-defs', 'sql-text'],
  nx: [],
  cli: ['*'],
};

export default tseslint.config(
  { ignores: ['**/dist/', '**/.nx/', '**/tmp/', 'fixtures/'] },
  tseslint.configs.recommended,
  {
    plugins: { '@nx': nx },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'Name what is exported.' },
        { selector: ':matches(ExportDefaultDeclaration)', message: 'No default exports.' },
      ],
    },
  },
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
    files: ['**/*.config.mjs', '**/jest-setup.mjs', 'packages/nx-plugin/**'],
    rules: { 'no-restricted-syntax': 'off', '@typescript-eslint/no-require-imports': 'off' },
  },
  prettier,
);
