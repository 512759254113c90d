import { formatProblem, locateProblems, type Problem } from '@cdc-migrations/shape';
import { buildTemplates, buildTypeOverrides } from './build-definitions.ts';
import { buildSinkGroups, buildSourceGroups } from './build-groups.ts';
import { buildService } from './build-service.ts';
import { checkService } from './checks/check-service.ts';
import { checkSinkGroups } from './checks/check-sink-groups.ts';
import { checkSourceGroups } from './checks/check-source-groups.ts';
import { checkTypeOverrides } from './checks/check-type-overrides.ts';
import { checkValidationEnv } from './checks/check-validation-env.ts';
import { refuseSinkTableTwins } from './checks/refuse-sink-table-twins.ts';
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
import { ConfigError } from './problem.ts';

/** The configuration in the texts of an implementation repo; throws a ConfigError with every problem. */
export function parseConfig(files: ConfigFiles): Config {
  const problems: Problem[] = [];
  const drafts = parseDrafts(files, problems);
  checkGroups(drafts);
  checkServices(drafts);
  refuseProblems(files, problems);
  const groups = drafts.sourceGroups?.whole;
  return { sourceGroups: groups ? buildSourceGroups(groups) : [], ...buildServiceConfig(drafts) };
}

/** The part that table definitions are made from: `source-groups.yaml` is not looked at. */
export function parseServiceConfig(files: ConfigFiles): ServiceConfig {
  const problems: Problem[] = [];
  const drafts = parseServiceDrafts(files, problems);
  if (drafts.sinkGroups) checkSinkGroups(drafts.sinkGroups, undefined);
  checkServices(drafts);
  refuseProblems(files, problems);
  return buildServiceConfig(drafts);
}

/** The source groups by themselves: no other file is looked at. */
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
  refuseSinkTableTwins(services);
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
