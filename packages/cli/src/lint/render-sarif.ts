import { relative, resolve } from 'node:path';
import { visible } from '@cdc-migrations/generated-file';

/** A finding in a line of a file. */
export interface SarifFinding {
  /** Path relative to the given folder. */
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** Location of the documentation of rules. */
const RULES = 'https://github.com/cdc-migrations/cdc-migrations/blob/main/docs/lint.md';

/**
 * Renders findings as SARIF 2.1.0, which CI systems show next to the lines of a pull request. Paths are relative to the
 * checkout, as GitHub expects them.
 *
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 * @see https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
 */
export function renderSarif(
  folder: string,
  findings: readonly SarifFinding[],
  env: NodeJS.ProcessEnv = process.env,
): object {
  const checkout = env['GITHUB_WORKSPACE'] ?? env['CI_PROJECT_DIR'] ?? process.cwd();
  const uriOf = (file: string) =>
    relative(checkout, resolve(folder, file)).split(/[\\/]/).map(encodeURIComponent).join('/');
  const rules = [...new Set(findings.map(({ rule }) => rule))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'cdc manage-migrations lint',
            informationUri: RULES,
            rules: rules.map((id) => ({ id, helpUri: RULES })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: findings.map(({ file, line, rule, message }) => ({
          ruleId: rule,
          ruleIndex: rules.indexOf(rule),
          level: 'warning',
          message: { text: visible(message) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(file), uriBaseId: '%SRCROOT%' },
                region: { startLine: line },
              },
            },
          ],
        })),
      },
    ],
  };
}
