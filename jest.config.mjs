/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: {
    customExportConditions: ['@cdc-migrations/source', 'node', 'require', 'default'],
  },
  globalSetup: '<rootDir>/packages/cli/jest-setup.mjs',
  testMatch: ['<rootDir>/packages/*/src/**/*.spec.ts', '<rootDir>/tools/*/src/**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/packages/[^/]+/dist/', '<rootDir>/.nx/', '<rootDir>/tmp/'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  testTimeout: 120_000,
};
