import {
  ENVIRONMENTS,
  RUN,
  serverVariables,
  shellWord,
  sinkRole,
  type PackageManager,
  type ScaffoldOptions,
} from './scaffold-options.ts';

/** Environment that the workflow applies to. */
const APPLIED = ENVIRONMENTS[1];

/** Exit code of a plan with an unsafe change, which is refused. */
const UNSAFE = 5;

/** Actions by the commit of a release, because a tag can be moved. */
const ACTIONS = {
  checkout: 'actions/checkout@34e114876b0b11c390a56381ad16ebd13914f8d5 # v4.3.1',
  setupNode: 'actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020 # v4.4.0',
} as const;

const PACKAGE_MANAGERS: {
  readonly [P in PackageManager]: Readonly<Record<'install' | 'withoutScripts', string>>;
} = {
  npm: { install: 'npm ci', withoutScripts: '--ignore-scripts' },
  pnpm: {
    install: 'pnpm install --frozen-lockfile',
    withoutScripts: '--ignore-scripts',
  },
  yarn: { install: 'yarn install --immutable', withoutScripts: '--mode=skip-build' },
};

/**
 * Renders a workflow of GitHub Actions. A pull request fails if a generated file is stale or edited, and main is
 * applied. Without Nx, the run summaries show the changes of a pull request, the plan, and the result of apply. With
 * Nx, the output would mix several repos. Only the steps that plan and apply can read the secrets.
 */
export function renderGithubWorkflow(options: ScaffoldOptions): string {
  const { nx } = options;
  const root = options.folder === '.' ? '' : ` --root ${shellWord(options.folder)}`;
  const run = RUN[options.packageManager];
  const cdc = (args: string) => step(`${run} cdc manage-migrations ${args}${root}`);
  /** Writes a report to the run summary. One exit code besides 0 is not a failure. */
  const report = (args: string, exitCode?: number) =>
    step(
      `${run} cdc manage-migrations ${args} --format markdown${root} >> "$GITHUB_STEP_SUMMARY"${
        exitCode === undefined ? '' : ` || [ $? -eq ${exitCode} ]`
      }`,
    );
  const affected = (
    target: string,
  ) => `${step(`${run} nx affected -t ${target} "--base=origin/$BASE"`)}
        env:
          BASE: \${{ github.base_ref }}`;
  const all = (args: string) => step(`${run} nx run-many -t ${args}`);
  const applying = (command: string) => `${command}
        # Only this step can read these secrets. Install scripts and other steps cannot.
        env:
${renderVariables(options)}`;
  return `name: CDC migrations

on:
  pull_request:
  push:
    branches: [main]

permissions:
  contents: read

env:
  # The role of the sink pipeline. It is not a superuser. The generated SQL contains its name, so set the same role wherever
  # you run generate.
  CDC_DB_USER: ${sinkRole(options)}

jobs:
  build:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    steps:
${renderSetup(options, { wholeHistory: true, scripts: true })}
      # Fails if a generated file is stale or was edited.
${nx ? affected('check-generated') : cdc('generate --check')}
${
  nx
    ? affected('migrations')
    : `      # Shows the changes to the targets and how safe they are. Exit code 1 means that there are changes.
${report('diff --base "origin/$BASE"', 1)}
        env:
          BASE: \${{ github.base_ref }}`
}

  apply:
    if: github.event_name == 'push'
    runs-on: ubuntu-latest
    environment: ${APPLIED}
    # Runs one apply at a time, and never cancels a running one.
    concurrency: { group: cdc-migrations-apply, cancel-in-progress: false }
    steps:
${renderSetup(options, { wholeHistory: false, scripts: false })}
${nx ? all('check-generated') : cdc('generate --check')}
      # Applies all pending files, not only those of this commit, so that files that failed before are tried again.
${
  nx
    ? applying(all(`apply --args=--env=${APPLIED}`))
    : `${applying(report(`apply --env ${APPLIED} --plan-out plan.json`, UNSAFE))}
      # Applies exactly this plan, except changes that are refused as unsafe.
${applying(report(`apply --env ${APPLIED} --plan plan.json`))}`
}
`;
}

interface Setup {
  readonly wholeHistory: boolean;
  /** True if packages may run install scripts. Jobs with secrets do not allow them. */
  readonly scripts: boolean;
}

function renderSetup(
  { packageManager }: ScaffoldOptions,
  { wholeHistory, scripts }: Setup,
): string {
  const { install, withoutScripts } = PACKAGE_MANAGERS[packageManager];
  const history = wholeHistory ? '\n          fetch-depth: 0 # to compare with the base' : '';
  const corepack = packageManager === 'npm' ? '' : `\n${step('corepack enable')}`;
  return `      - uses: ${ACTIONS.checkout}
        with:
          persist-credentials: false${history}${corepack}
      - uses: ${ACTIONS.setupNode}
        with:
          node-version: 22
          cache: ${packageManager}
${step(scripts ? install : `${install} ${withoutScripts}`)}`;
}

/** Renders a step that runs a shell command. */
function step(command: string): string {
  return `      - run: ${isPlain(command) ? command : JSON.stringify(command)}`;
}

/** Returns true if YAML needs no quotes for a text. Other texts are written as JSON, which is valid YAML. */
function isPlain(text: string): boolean {
  return /^[a-z]/.test(text) && !/: | #|:$|\s$/.test(text);
}

function renderVariables(options: ScaffoldOptions): string {
  return Object.values(serverVariables(options, 'sink', APPLIED))
    .map((variable) => `          ${variable}: \${{ secrets.${variable} }}`)
    .join('\n');
}
