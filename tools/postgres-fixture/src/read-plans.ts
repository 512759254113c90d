import type { PostgresServer } from './start-postgres.ts';

/** The plan of an executed statement. */
export interface LoggedPlan {
  readonly query: string;
  readonly isCompiled: boolean;
}

const SETTINGS = {
  log_min_duration: 0,
  log_nested_statements: 'on',
  log_analyze: 'on',
  log_timing: 'off',
};

/** Makes the server log the plan of every statement of these roles, including those in functions. */
export async function logPlans(server: PostgresServer, roles: readonly string[]): Promise<void> {
  const admin = server.connect({ max: 1, onnotice: () => {} });
  for (const role of roles) {
    await admin.unsafe(`ALTER ROLE "${role}" SET session_preload_libraries = 'auto_explain'`);
    for (const [name, value] of Object.entries(SETTINGS)) {
      await admin.unsafe(`ALTER ROLE "${role}" SET auto_explain.${name} = ${value}`);
    }
  }
  await admin.end();
}

/** Reads the plans in a log or a part of one. */
export function readPlans(log: string): readonly LoggedPlan[] {
  return log
    .split(/^(?=\d{4}-\d\d-\d\d )/m)
    .filter((entry) => entry.includes('Query Text: '))
    .map((entry) => ({
      query: entry.slice(entry.indexOf('Query Text: ') + 'Query Text: '.length),
      isCompiled: /^\s*JIT:/m.test(entry),
    }));
}
