import type { Command } from 'commander';

/** End of the help of a command. */
interface HelpEnd {
  /** Command lines as typed. */
  readonly examples: readonly string[];
  /** Meanings by exit code, if the help of the command does not list them already. */
  readonly exitCodes?: Readonly<Record<number, string>>;
}

const MISTAKE = 'a mistake in the options or the configuration';
const CONFIGURATION = `${MISTAKE}, or no connection`;

/** Ends by the words of a command. */
const HELP_ENDS: Readonly<Record<string, HelpEnd>> = {
  init: {
    examples: ['cdc init --pattern db-per-tenant', 'cdc init acme --pattern db-shared --dry-run'],
    exitCodes: { 0: 'done', 2: 'a mistake in the options, or a file that cannot be written' },
  },
  completions: {
    examples: ['source <(cdc completions bash)', 'cdc completions fish | source'],
    exitCodes: { 0: 'done', 2: 'an unknown shell' },
  },
  'manage-migrations generate': {
    examples: [
      'cdc manage-migrations generate',
      'cdc manage-migrations generate --check',
      'cdc manage-migrations generate --refresh',
    ],
  },
  'manage-migrations diff': {
    examples: [
      'cdc manage-migrations diff --env nonprod',
      'cdc manage-migrations diff --base origin/main --sql',
    ],
  },
  'manage-migrations schema-docs': {
    examples: [
      'cdc manage-migrations schema-docs --service adopus',
      'cdc manage-migrations schema-docs --compare --all',
    ],
    exitCodes: { 0: 'done', 1: '--compare: a customer differs', 2: CONFIGURATION },
  },
  'manage-migrations apply': {
    examples: [
      'cdc manage-migrations apply --env embedded',
      'cdc manage-migrations apply --env prod --dry-run > plan.sql',
      'cdc manage-migrations apply --env prod --canary 1',
      'cdc manage-migrations apply --env prod --wave first',
      'cdc manage-migrations apply --env prod --plan-out plan.json',
      'cdc manage-migrations apply --env prod --plan plan.json',
    ],
    exitCodes: {
      0: 'all files are applied',
      1: 'a table cannot be merged, because somebody changed it; --plan: a schema was skipped',
      2: CONFIGURATION,
      3: 'a schema failed',
      4: 'another apply is running',
      5: 'a change was refused as unsafe',
      6: 'an applied file was edited',
    },
  },
  'manage-migrations status': {
    examples: [
      'cdc manage-migrations status --env prod',
      "cdc manage-migrations status --env prod --schema 'oslo*' --json",
    ],
    exitCodes: {
      0: 'all files are applied, and no events failed',
      1: 'a file is not applied, a merge failed, or there are dead letters, refused events or a possible loss',
      2: CONFIGURATION,
      6: 'an applied file was edited',
    },
  },
  'manage-migrations check': {
    examples: [
      'cdc manage-migrations check --env prod',
      "cdc manage-migrations check --env prod --exclude '*.tmp_*'",
    ],
    exitCodes: { 0: 'no drift', 1: 'drift', 2: CONFIGURATION },
  },
  'manage-migrations verify': {
    examples: [
      'cdc manage-migrations verify --env prod --sample 10000',
      'cdc manage-migrations verify --env prod --table Actor --customer avansas --out rows.jsonl',
    ],
    exitCodes: {
      0: 'no row differs',
      1: 'rows differ',
      2: CONFIGURATION,
      3: 'a table could not be compared, or the command was stopped',
    },
  },
  'manage-migrations baseline': {
    examples: [
      'cdc manage-migrations baseline --env prod',
      'cdc manage-migrations baseline --env prod --schema avansas',
    ],
    exitCodes: {
      0: 'done',
      1: 'some objects do not match, and were not recorded',
      2: CONFIGURATION,
    },
  },
  'manage-migrations merge': {
    examples: [
      'cdc manage-migrations merge --env prod',
      'cdc manage-migrations merge --env prod --watch --interval 5s',
    ],
    exitCodes: {
      0: 'all staged events are merged',
      1: '--replay-dead-letters: some events failed again',
      2: CONFIGURATION,
      3: 'a table failed or was skipped, or the connection was lost',
    },
  },
  'manage-migrations dead-letters list': {
    examples: [
      'cdc manage-migrations dead-letters list --env prod',
      "cdc manage-migrations dead-letters list --env prod --reason 'too long'",
    ],
    exitCodes: { 0: 'no event matches', 1: 'some events match', 2: CONFIGURATION },
  },
  'manage-migrations dead-letters show': {
    examples: [
      'cdc manage-migrations dead-letters show --env prod --table Actor --limit 5',
      'cdc manage-migrations dead-letters show --env prod --id 4711',
    ],
    exitCodes: { 0: 'no event matches', 1: 'some events match', 2: CONFIGURATION },
  },
  'manage-migrations dead-letters replay': {
    examples: [
      'cdc manage-migrations dead-letters replay --env prod',
      'cdc manage-migrations dead-letters replay --env prod --table Actor',
    ],
    exitCodes: {
      0: 'all events are merged',
      1: 'some events failed again',
      2: CONFIGURATION,
      3: 'a table failed',
    },
  },
  'manage-migrations dead-letters discard': {
    examples: [
      'cdc manage-migrations dead-letters discard --env prod --table Actor --dry-run',
      "cdc manage-migrations dead-letters discard --env prod --reason 'unknown operation'",
    ],
    exitCodes: { 0: 'done', 2: CONFIGURATION },
  },
  'manage-migrations retire': {
    examples: [
      'cdc manage-migrations retire --env prod --table Distrikt --dry-run',
      'cdc manage-migrations retire --env prod --customer avansas',
    ],
    exitCodes: {
      0: 'done',
      2: CONFIGURATION,
      3: 'a table failed',
      4: 'another session holds a lock that the command needs',
      5: 'events are staged, refused or in the dead letters',
    },
  },
  'manage-migrations rename': {
    examples: [
      'cdc manage-migrations rename --env prod --customer avansas --to avanse --dry-run',
      'cdc manage-migrations rename --env prod --table Distrikt --to District',
    ],
    exitCodes: { 0: 'done', 2: CONFIGURATION, 3: 'a schema failed', 5: 'the rename was refused' },
  },
  'manage-migrations reload begin': {
    examples: [
      'cdc manage-migrations reload begin --env prod --table Actor',
      'cdc manage-migrations reload begin --env prod --table Actor --customer avansas',
    ],
    exitCodes: {
      0: 'the reloads are open',
      2: CONFIGURATION,
      3: 'a table failed',
      5: 'a table cannot be reloaded',
    },
  },
  'manage-migrations reload signal': {
    examples: [
      'cdc manage-migrations reload signal --env prod --table Actor',
      'cdc manage-migrations reload signal --env prod --table Actor --customer avansas --send',
    ],
    exitCodes: { 0: 'done', 2: CONFIGURATION, 3: 'a source database failed' },
  },
  'manage-migrations reload status': {
    examples: [
      'cdc manage-migrations reload status --env prod',
      'cdc manage-migrations reload status --env prod --table Actor --json',
    ],
    exitCodes: {
      0: 'all rows were read again or changed',
      1: 'some rows have not been read again',
      2: CONFIGURATION,
      3: 'rows of a table cannot be counted',
    },
  },
  'manage-migrations reload finish': {
    examples: [
      'cdc manage-migrations reload finish --env prod --table Actor --dry-run',
      'cdc manage-migrations reload finish --env prod --table Actor --max-share 10',
    ],
    exitCodes: {
      0: 'done',
      2: CONFIGURATION,
      3: 'a table failed',
      4: 'another session has locked a table',
      5: 'refused: no snapshot has arrived, too many rows would be removed, or events are not merged',
    },
  },
  'manage-migrations reload cancel': {
    examples: ['cdc manage-migrations reload cancel --env prod --table Actor'],
    exitCodes: { 0: 'done', 2: CONFIGURATION },
  },
  'manage-migrations metrics': {
    examples: [
      'cdc manage-migrations metrics --env prod',
      'cdc manage-migrations metrics --env prod --listen 9187',
      'cdc manage-migrations metrics --env prod --listen 9187 --drift 6h',
    ],
    exitCodes: { 0: 'done', 2: CONFIGURATION, 3: 'a target did not respond' },
  },
  'manage-migrations report': {
    examples: [
      'cdc manage-migrations report --env prod --out report.html',
      'cdc manage-migrations report --env prod --out report.html --drift --since origin/main',
    ],
    exitCodes: {
      0: 'all files are applied, and no events failed',
      1: 'the same cases as in status; with --drift, also drift',
      2: CONFIGURATION,
      6: 'an applied file was edited',
    },
  },
  'manage-migrations monitoring alerts': {
    examples: ['cdc manage-migrations monitoring alerts > cdc-alerts.yaml'],
  },
  'manage-migrations monitoring dashboard': {
    examples: ['cdc manage-migrations monitoring dashboard > cdc-dashboard.json'],
  },
  'manage-migrations enable-cdc': {
    examples: [
      'cdc manage-migrations enable-cdc --env prod --all --dry-run',
      'cdc manage-migrations enable-cdc --env prod --customer avansas --emit-sql',
      'cdc manage-migrations enable-cdc --env prod --customer avansas --rotate --table Actor --wait 10m',
    ],
    exitCodes: {
      0: 'done',
      1: 'a rotation is waiting for consumers',
      2: CONFIGURATION,
      3: 'a table or a database failed or was blocked',
    },
  },
  'manage-migrations clean-cdc': {
    examples: [
      'cdc manage-migrations clean-cdc --env prod --days 7 --all --dry-run',
      'cdc manage-migrations clean-cdc --env prod --days 7 --customer avansas --not-past positions.yaml',
    ],
    exitCodes: { 0: 'done', 2: CONFIGURATION, 3: 'a database failed' },
  },
  'manage-migrations explain': {
    examples: [
      'cdc manage-migrations explain Actor',
      'cdc manage-migrations explain adopus.Actor StartDato --json',
    ],
    exitCodes: { 0: 'done', 2: 'no such table or column, or a mistake in the configuration' },
  },
  'manage-migrations lint': {
    examples: [
      'cdc manage-migrations lint',
      'cdc manage-migrations lint --format sarif > lint.sarif',
    ],
    exitCodes: {
      0: 'no findings',
      1: 'findings',
      2: 'a mistake in the configuration, or squawk-cli failed',
    },
  },
  'manage-migrations doctor': {
    examples: [
      'cdc manage-migrations doctor --env prod',
      'cdc manage-migrations doctor --env embedded --json',
    ],
    exitCodes: { 0: 'no warnings or errors', 1: 'warnings', 2: 'errors' },
  },
  'manage-migrations types': {
    examples: ['cdc manage-migrations types', 'cdc manage-migrations types --table Actor --json'],
    exitCodes: { 0: 'done', 2: MISTAKE },
  },
  'manage-pipelines generate': {
    examples: ['cdc manage-pipelines generate', 'cdc manage-pipelines generate --check'],
  },
  'manage-pipelines check': {
    examples: [
      'cdc manage-pipelines check pipelines/actor.yaml',
      'cdc manage-pipelines check inserts.sql --json',
    ],
  },
};

/** Adds examples and exit codes to the help of a command and its subcommands. */
export function addExamples(command: Command, words: readonly string[] = []): void {
  const end = HELP_ENDS[words.join(' ')];
  if (end) command.addHelpText('after', () => renderEnd(end));
  for (const below of command.commands) addExamples(below, [...words, below.name()]);
}

function renderEnd({ examples, exitCodes }: HelpEnd): string {
  const codes = Object.entries(exitCodes ?? {}).map(([code, meaning]) => `  ${code}  ${meaning}`);
  return [
    '',
    'Examples:',
    ...examples.map((example) => `  $ ${example}`),
    ...(codes.length > 0 ? ['', 'Exit codes:', ...codes] : []),
  ].join('\n');
}
