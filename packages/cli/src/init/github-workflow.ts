import {
  ENVIRONMENTS,
  serverVariables,
  type PackageManager,
  type ScaffoldOptions,
} from './scaffold-options.ts';

/** Environment that the workflow applies to. */
const APPLIED = ENVIRONMENTS[1];

const PACKAGE_MANAGERS: {
  readonly [P in PackageManager]: Readonly<Record<'install' | 'run', string>>;
} = {
  npm: { install: 'npm ci', run: 'npx' },
  pnpm: { install: 'pnpm install --frozen-lockfile', run: 'pnpm exec' },
  yarn: { install: 'yarn install --immutable', run: 'yarn' },
};

/**
 * Workflow of GitHub Actions: a pull request is refused where a generated file is stale or was edited, and main is
 * applied.
 */
export function renderGithubWorkflow(options: ScaffoldOptions): string {
  const { nx } = options;
  const root = options.folder === '.' ? '' : ` --root ${options.folder}`;
  const { run } = PACKAGE_MANAGERS[options.packageManager];
  const cdc = (args: string) => `${run} cdc manage-migrations ${args}${root}`;
  const base = '--base=origin/${{ github.base_ref }}';
  return `name: CDC migrations

on:
  pull_request:
  push:
    branches: [main]

env:
  # The role of the sink pipeline. It stands in the SQL: set it to the same wherever files are generated.
  CDC_DB_USER: postgres

jobs:
  build:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    steps:
${renderSetup(options, nx)}
      # Refused where a generated file is stale or was edited.
      - run: ${nx ? `${run} nx affected -t check-generated ${base}` : cdc('generate --check')}
${nx ? `      - run: ${run} nx affected -t migrations ${base}\n` : ''}
  apply:
    if: github.event_name == 'push'
    runs-on: ubuntu-latest
    environment: ${APPLIED}
    # One after the other, and none is ended half way.
    concurrency: { group: cdc-migrations-apply, cancel-in-progress: false }
    env:
${renderVariables(options)}
    steps:
${renderSetup(options, false)}
      - run: ${nx ? `${run} nx run-many -t check-generated` : cdc('generate --check')}
      # All of it, not only what this commit touches: where there is nothing to do nothing is done, and what could
      # not be applied the last time is tried again.
      - run: ${nx ? `${run} nx run-many -t apply --args=--env=${APPLIED}` : cdc(`apply --env ${APPLIED}`)}
`;
}

function renderSetup({ packageManager }: ScaffoldOptions, wholeHistory: boolean): string {
  const history = `
        with: { fetch-depth: 0 } # affected compares with the base`;
  const corepack = packageManager === 'npm' ? '' : '\n      - run: corepack enable';
  return `      - uses: actions/checkout@v4${wholeHistory ? history : ''}${corepack}
      - uses: actions/setup-node@v4
        with: { node-version: 22, cache: ${packageManager} }
      - run: ${PACKAGE_MANAGERS[packageManager].install}`;
}

function renderVariables(options: ScaffoldOptions): string {
  return Object.values(serverVariables(options, 'sink', APPLIED))
    .map((variable) => `      ${variable}: \${{ secrets.${variable} }}`)
    .join('\n');
}
