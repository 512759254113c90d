import {
  foundValue,
  isMapping,
  parseShape,
  reportIn,
  type Keys,
  type Mapping,
  type Problem,
  type Report,
} from '@cdc-migrations/shape';
import { serviceOf, type ConfigFiles } from './config-files.ts';
import { parseValue, type Part } from './parse-part.ts';
import { serviceSchema, type ServiceShape } from './schemas/service.ts';

export interface ServicePart extends Part<ServiceShape> {
  readonly name: string;
}

const EXPECTED = 'a service: `<service>: { source, sinks }`';

/** A service file in either form: `<service>: { source, sinks }` or `{ service: <service>, source, sinks }`. */
export function parseServicePart(
  files: ConfigFiles,
  file: string,
  problems: Problem[],
): ServicePart | undefined {
  const value = parseValue(files, file, EXPECTED, problems);
  if (value === undefined) return undefined;
  const report = reportIn(file, problems);
  if (!isMapping(value) || Object.keys(value).length === 0) {
    report([], `expected ${EXPECTED}; found ${isMapping(value) ? 'nothing' : foundValue(value)}`);
    return undefined;
  }
  const name = serviceOf(file) ?? '';
  const keys = findService(value, name, report);
  const [key] = keys;
  const content = key === undefined ? value : value[key];
  if (content === null || (isMapping(content) && Object.keys(content).length === 0)) {
    report(keys, 'an empty service; expected { source, sinks }');
    return undefined;
  }
  return { file, name, keys, report, ...parseShape(serviceSchema, content, report, keys) };
}

/** The keys that lead to the service, with a report where its name is not that of the file. */
function findService(value: Mapping, name: string, report: Report): Keys {
  const besides = 'service' in value && !isMapping(value['service']);
  if (besides || (!Object.hasOwn(value, name) && ('source' in value || 'sinks' in value))) {
    if (!besides) report([], `missing key "service"; expected service: ${name}`);
    return [];
  }
  const [key = name, ...others] = Object.keys(value).sort(
    (one, other) => Number(other === name) - Number(one === name),
  );
  if (key !== name) report([key], otherNameFault(name, key));
  for (const other of others) {
    report([], `unknown key "${other}"; a file has one service, here "${key}"`, other);
  }
  return [key];
}

/** What is wrong where the file of a service names another one. */
export function otherNameFault(name: string, found: string): string {
  return `the file of the service "${name}" says "${found}"; rename one of the two`;
}
