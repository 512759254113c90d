import { findTurningLetters, letterFault } from '@cdc-migrations/generated-file';
import {
  foundValue,
  isMapping,
  parseHandWritten,
  parseShape,
  reportIn,
  type Keys,
  type Mapping,
  type Problem,
  type Report,
  type Shape,
} from '@cdc-migrations/shape';
import type * as v from 'valibot';
import { serviceOf, type ConfigFiles } from './config-files.ts';
import { serviceSchema, type ServiceShape } from './schemas/service.ts';

/** What a file says, and where to report what turns out to be wrong with it. */
export interface Part<Value> extends Shape<Value> {
  readonly file: string;
  /** Keys that lead to the value: those of a report begin at the root of the file. */
  readonly keys: Keys;
  readonly report: Report;
}

/** A kind of file whose whole content has one schema. */
interface FileKind<Schema extends v.GenericSchema> {
  readonly schema: Schema;
  /** What to write where a file of this kind is missing or empty. */
  readonly expected: string;
}

/** The content of a file of this kind; undefined, and reported, where it has none. */
export function parsePart<Schema extends v.GenericSchema>(
  files: ConfigFiles,
  file: string,
  { schema, expected }: FileKind<Schema>,
  problems: Problem[],
): Part<v.InferOutput<Schema>> | undefined {
  const value = parseValue(files, file, expected, problems);
  if (value === undefined) return undefined;
  const report = reportIn(file, problems);
  return { file, keys: [], report, ...parseShape(schema, value, report) };
}

/** The value of a file; undefined, and reported, where it has none. One that is not there is not our concern. */
function parseValue(
  files: ConfigFiles,
  file: string,
  expected: string,
  problems: Problem[],
): unknown {
  const text = files.get(file);
  if (typeof text !== 'string') return undefined;
  const parsed = parseHandWritten(file, text);
  if ('problems' in parsed) {
    problems.push(...parsed.problems);
    return undefined;
  }
  const report = reportIn(file, problems);
  if (parsed.value === undefined) report([], `expected ${expected}, found an empty file`);
  checkLetters(parsed.value, report);
  for (const { line, letter } of findTurningLetters(text)) {
    const message = `expected ${letter} as an escape in quotes, or not at all, found the letter itself, which turns the direction of writing`;
    problems.push({ at: { file, keys: [] }, line, message });
  }
  return parsed.value;
}

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
    report([], `expected ${EXPECTED}, found ${isMapping(value) ? 'nothing' : foundValue(value)}`);
    return undefined;
  }
  const name = serviceOf(file) ?? '';
  const keys = findService(value, name, report);
  const [key] = keys;
  const content = key === undefined ? value : value[key];
  if (content === null || (isMapping(content) && Object.keys(content).length === 0)) {
    report(keys, 'expected { source, sinks }, found nothing');
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

/** Reports keys, wherever they are in a YAML file, with letters that deceive who reads them. */
function checkLetters(root: unknown, report: Report): void {
  const seen = new Set<unknown>(); // Aliases lead to the same value again, of which there can be a great many.
  const check = (value: unknown, keys: Keys): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    for (const [key, content] of Object.entries(value)) {
      const fault = letterFault(key);
      if (fault !== undefined) report([...keys, key], fault);
      check(content, [...keys, Array.isArray(value) ? Number(key) : key]);
    }
  };
  check(root, []);
}
