'use strict';

// Gives each package and tool its cached targets `test`, `lint` and `typecheck`.

const { readdirSync } = require('node:fs');
const { dirname, join } = require('node:path');

/** @import { CreateNodes, ProjectConfiguration, TargetConfiguration } from '@nx/devkit' */

/** @type {TargetConfiguration['inputs']} */
const REPOS = [{ input: 'default', projects: ['adopus', 'asma'] }];

/**
 * Inputs of tests outside of their own project and its dependencies. A workspace file as an input makes a change of the
 * file affect the project and everything that depends on it. The implementation repos depend on the command line.
 * Inputs that would affect them needlessly are declared by project, which has no such effect. See FIXTURES for these.
 *
 * @type {Readonly<Record<string, TargetConfiguration['inputs']>>}
 */
const READ_BY_TESTS = {
  'packages/cli': [
    ...REPOS,
    { input: 'default', projects: ['@cdc-migrations/table-defs'] },
    '{workspaceRoot}/docs/**/*.md',
  ],
  'packages/config': REPOS,
  'packages/introspect': REPOS,
  'packages/nx-plugin': [
    '{workspaceRoot}/fixtures/**/*',
    '{workspaceRoot}/packages/*/package.json',
    '{workspaceRoot}/packages/cli/cases/**/*',
  ],
  'tools/docs': [
    '{workspaceRoot}/*.md',
    '{workspaceRoot}/package.json',
    ...['docs', 'examples', 'fixtures', 'packages', 'tools'].map(
      (folder) => `{workspaceRoot}/${folder}/**/*`,
    ),
  ],
  'tools/e2e': [
    '{workspaceRoot}/docs/**/*',
    '{workspaceRoot}/fixtures/**/*',
    '{workspaceRoot}/packages/cli/cases/**/*',
    '{workspaceRoot}/packages/*/README.md',
  ],
  'tools/soak': [
    '{workspaceRoot}/fixtures/**/*',
    '{workspaceRoot}/packages/cli/cases/**/*',
    '{workspaceRoot}/packages/cli/src/*.fixture.ts',
  ],
};

/** Projects that tests use and that package.json does not name: the bundle, the plugin, all texts. */
const USED_BY_TESTS = {
  'tools/docs': ['@cdc-migrations/cli', '@cdc-migrations/nx'],
  'tools/e2e': ['@cdc-migrations/cli', '@cdc-migrations/nx'],
  'tools/soak': ['@cdc-migrations/cli', '@cdc-migrations/nx'],
};

/**
 * A project without code. Changes of `fixtures/` affect it, and it runs the tests that read them. The projects of those
 * tests cannot have `fixtures/` as an input, because the implementation repos depend on the command line.
 *
 * @type {ProjectConfiguration}
 */
const FIXTURES = {
  name: 'fixtures',
  root: 'fixtures',
  targets: {
    test: {
      executor: 'nx:noop',
      dependsOn: [
        {
          projects: ['cli', 'config', 'introspect'].map((name) => `@cdc-migrations/${name}`),
          target: 'test',
        },
      ],
      inputs: ['{workspaceRoot}/fixtures/**/*'],
      metadata: { description: 'Runs the tests that read fixtures/' },
    },
  },
};

/** Variables that lengthen tests, or set their seed or their folder. */
const VARIABLES = [
  'CDC_LONG_TESTS',
  'CDC_TEST_SEED',
  'CDC_ALL_TENANTS',
  'CDC_EVOLUTION_WALKS',
  'CDC_KILLS',
  'CDC_NIGHT_CUSTOMERS',
  'CDC_MUTATIONS',
  'CDC_FAULTS',
  'CDC_SETTINGS',
  'CDC_TYPE_PAIRS',
  'CDC_TEST_POSTGRES',
];

/** @type {CreateNodes} */
const createNodes = [
  '{packages/*,tools/*,examples}/package.json',
  (files, _, { workspaceRoot }) =>
    files.map((file) => {
      const root = dirname(file);
      const targets = {
        ...(hasTests(join(workspaceRoot, root)) && { test: buildTest(root) }),
        lint: LINT,
        typecheck: TYPECHECK,
      };
      const implicitDependencies = USED_BY_TESTS[root] ?? [];
      const projects = { [root]: { root, targets, implicitDependencies } };
      return [
        file,
        { projects: root === 'tools/fixtures' ? { ...projects, fixtures: FIXTURES } : projects },
      ];
    }),
];

/** @param {string} folder */
function hasTests(folder) {
  try {
    return readdirSync(join(folder, 'src'), { recursive: true }).some((file) =>
      String(file).endsWith('.spec.ts'),
    );
  } catch {
    return false;
  }
}

/**
 * @param {string} root
 * @returns {TargetConfiguration}
 */
function buildTest(root) {
  return {
    command: `jest ${root}/src/`,
    dependsOn: ['build', '^build'],
    cache: true,
    // Tests start servers and measure time, and jest uses all cores.
    parallelism: false,
    inputs: [
      'default',
      '^production',
      '{workspaceRoot}/jest.config.mjs',
      '{workspaceRoot}/jest-setup.mjs',
      '{workspaceRoot}/tools/fixtures/src/run-readme.ts',
      ...(READ_BY_TESTS[root] ?? []),
      ...VARIABLES.map((env) => ({ env })),
      { runtime: 'node --version' },
    ],
    outputs: [],
    metadata: { description: 'Runs the tests of this project' },
  };
}

/** @type {TargetConfiguration} */
const LINT = {
  command: 'eslint {projectRoot}',
  cache: true,
  inputs: [
    'default',
    '{workspaceRoot}/eslint.config.mjs',
    { externalDependencies: ['eslint', 'typescript-eslint', '@nx/eslint-plugin', 'typescript'] },
  ],
  outputs: [],
  metadata: { description: 'Runs ESLint, with the rule of imports between packages' },
};

/** @type {TargetConfiguration} */
const TYPECHECK = {
  command: 'node tools/typecheck.mjs {projectRoot}',
  cache: true,
  inputs: [
    'default',
    '^production',
    '{workspaceRoot}/tools/typecheck.mjs',
    '{workspaceRoot}/tsconfig.base.json',
    '{workspaceRoot}/tsconfig.spec.json',
  ],
  outputs: [],
  metadata: { description: 'Checks the types of sources and tests, without a build' },
};

module.exports = { createNodes, createNodesV2: createNodes };
