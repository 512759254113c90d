import { formatProblem, locateProblems, type Problem } from '@cdc-migrations/shape';
import {
  buildService,
  buildSinkGroups,
  buildSourceGroups,
  buildTemplates,
  buildTypeOverrides,
} from './build-config.ts';
import {
  checkService,
  checkValidationEnv,
  refuseDuplicateSinkTables,
} from './checks/check-service.ts';
import { checkSinkGroups, checkSourceGroups, checkTypeOverrides } from './checks/check-groups.ts';
import type { ConfigFiles } from './config-files.ts';
import type { Config, ServiceConfig, SourceGroup, TypeOverrides } from './config.ts';
import {
  parseDrafts,
  parseServiceDrafts,
  parseSourceGroupsDraft,
  refuseUnreadable,
  type Drafts,
  type ServiceDrafts,
} from './parse-drafts.ts';

/** Parses the texts of an implementation repo. Throws a ConfigError with every problem. */
export function parseConfig(files: ConfigFiles): Config {
  const problems: Problem[] = [];
  const drafts = parseDrafts(files, problems);
  checkGroups(drafts);
  checkServices(drafts);
  refuseProblems(files, problems);
  const groups = drafts.sourceGroups?.whole;
  return { sourceGroups: groups ? buildSourceGroups(groups) : [], ...buildServiceConfig(drafts) };
}

/** Parses the configuration that table definitions are built from, without `source-groups.yaml`. */
export function parseServiceConfig(files: ConfigFiles): ServiceConfig {
  const problems: Problem[] = [];
  const drafts = parseServiceDrafts(files, problems);
  if (drafts.sinkGroups) checkSinkGroups(drafts.sinkGroups, undefined);
  checkServices(drafts);
  refuseProblems(files, problems);
  return buildServiceConfig(drafts);
}

/** Parses only the source groups. */
export function parseSourceGroups(files: ConfigFiles): readonly SourceGroup[] {
  const problems: Problem[] = [];
  refuseUnreadable(files, problems);
  const groups = parseSourceGroupsDraft(files, problems);
  if (groups) checkSourceGroups(groups, undefined);
  refuseProblems(files, problems);
  return groups?.whole ? buildSourceGroups(groups.whole) : [];
}

function checkGroups({ sourceGroups, sinkGroups, services, typeOverrides }: Drafts): void {
  if (sinkGroups) checkSinkGroups(sinkGroups, sourceGroups);
  if (!sourceGroups) return;
  checkSourceGroups(sourceGroups, sinkGroups);
  checkTypeOverrides(typeOverrides, sourceGroups);
  for (const service of services) checkValidationEnv(service, sinkGroups, sourceGroups);
}

function checkServices({ sinkGroups, templateNames, services }: ServiceDrafts): void {
  const known = { sinkGroups: sinkGroups?.draft, templates: templateNames };
  for (const service of services) checkService(service, known);
  refuseDuplicateSinkTables(services);
}

function buildServiceConfig(drafts: ServiceDrafts): ServiceConfig {
  const { sinkGroups, templates, services, typeOverrides } = drafts;
  return {
    sinkGroups: sinkGroups?.whole ? buildSinkGroups(sinkGroups.whole) : [],
    services: services.flatMap((service) => buildService(service) ?? []),
    templates: templates?.whole ? buildTemplates(templates.whole) : new Map(),
    typeOverrides: new Map(
      [...typeOverrides].flatMap(([group, { whole, file }]): [string, TypeOverrides][] =>
        whole ? [[group, buildTypeOverrides(whole, file)]] : [],
      ),
    ),
  };
}

function refuseProblems(files: ConfigFiles, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const readText = (file: string) => {
    const text = files.get(file);
    return typeof text === 'string' ? text : undefined;
  };
  const once = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  throw new ConfigError(locateProblems([...once.values()], readText));
}

/** Thrown with all problems of the hand-written YAML. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}
