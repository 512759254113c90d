/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: {
    customExportConditions: ['@cdc-migrations/source', 'node', 'require', 'default'],
  },
  globalSetup: '<rootDir>/jest-setup.mjs',
  testMatch: ['<rootDir>/packages/*/src/**/*.spec.ts', '<rootDir>/tools/*/src/**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/packages/[^/]+/dist/', '<rootDir>/.nx/', '<rootDir>/tmp/'],
  transform: {
    // import() loads the T-SQL parser, which Jest supports only in transformed code. markdown-table is an ES module.
    '\\.ts$|/(sqlparser-ts|markdown-table)/.*\\.c?js$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!@guanmingchiu/|markdown-table/)'],
  /** In CI, reports only failures and a summary. */
  reporters: process.env.CI ? [['summary', { summaryThreshold: 0 }]] : ['default'],
  // By default one core stays idle. On two cores the run would take twice as long.
  maxWorkers: '100%',
  testTimeout: 120_000,
};
