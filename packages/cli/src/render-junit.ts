import { visible } from '@cdc-migrations/generated-file';
import { create } from 'xmlbuilder';

/** Checks of a target. */
export interface TestSuite {
  readonly name: string;
  readonly cases: readonly TestCase[];
}

export interface TestCase {
  readonly name: string;
  /** Problems. Empty if the case passes. */
  readonly failures: readonly string[];
}

/**
 * Renders a report as JUnit XML for CI systems.
 *
 * @see https://github.com/testmoapp/junitxml
 */
export function renderJunit(suites: readonly TestSuite[]): string {
  const root = create('testsuites', { encoding: 'UTF-8' });
  for (const { name, cases } of suites) {
    const failed = cases.filter(({ failures }) => failures.length > 0);
    const suite = root.ele('testsuite', {
      name: visible(name),
      tests: cases.length,
      failures: failed.length,
    });
    for (const one of cases) {
      const test = suite.ele('testcase', { classname: visible(name), name: visible(one.name) });
      if (one.failures.length === 0) continue;
      const message = `${one.failures.length} found: ${one.failures[0]}`;
      test.ele('failure', { message: visible(message) }, one.failures.map(visible).join('\n'));
    }
  }
  return `${root.end({ pretty: true })}\n`;
}
