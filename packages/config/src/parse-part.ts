import { findBidiControls, characterProblem } from '@cdc-migrations/generated-file';
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

/** Content of a file and its report for problems that are found later. */
export interface Part<Value> extends Shape<Value> {
  readonly file: string;
  /** Keys that lead to the value. Reports use paths from the root of the file. */
  readonly keys: Keys;
  readonly report: Report;
}

/** A kind of file whose whole content has one schema. */
interface FileKind<Schema extends v.GenericSchema> {
  readonly schema: Schema;
  /** Text to write if a file of this kind is missing or empty. */
  readonly expected: string;
}

/** Parses a file of this kind. Reports a problem and returns undefined if it has no valid content. */
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

/**
 * Parses the YAML of a file. Reports a problem and returns undefined if that fails. A missing file is not reported
 * here.
 */
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
  checkCharacters(parsed.value, report);
  for (const { line, letter } of findBidiControls(text)) {
    const message = `expected ${letter} to be written as an escape in quotes or removed, found the character itself, which changes the text direction`;
    problems.push({ at: { file, keys: [] }, line, message });
  }
  return parsed.value;
}

export interface ServicePart extends Part<ServiceShape> {
  readonly name: string;
}

const EXPECTED = 'a service: `<service>: { source, sinks }`';

/** Parses a service file in either form: `<service>: { source, sinks }` or `{ service: <service>, source, sinks }`. */
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

/** Finds the keys that lead to the service. Reports a name that differs from the file name. */
function findService(value: Mapping, name: string, report: Report): Keys {
  const besides = 'service' in value && !isMapping(value['service']);
  if (besides || (!Object.hasOwn(value, name) && ('source' in value || 'sinks' in value))) {
    if (!besides) report([], `missing key "service"; expected service: ${name}`);
    return [];
  }
  const [key = name, ...others] = Object.keys(value).sort(
    (one, other) => Number(other === name) - Number(one === name),
  );
  if (key !== name) report([key], otherNameProblem(name, key));
  for (const other of others) {
    report([], `unknown key "${other}"; a file has one service, here "${key}"`, other);
  }
  return [key];
}

/** Describes a service file that names another service. */
export function otherNameProblem(name: string, found: string): string {
  return `the file of the service "${name}" contains the service "${found}"; rename one of the two`;
}

/** Reports keys with deceptive characters anywhere in a YAML file. */
function checkCharacters(root: unknown, report: Report): void {
  const seen = new Set<unknown>(); // Aliases reach the same value repeatedly, possibly millions of times.
  const check = (value: unknown, keys: Keys): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    for (const [key, content] of Object.entries(value)) {
      const problem = characterProblem(key);
      if (problem !== undefined) report([...keys, key], problem);
      check(content, [...keys, Array.isArray(value) ? Number(key) : key]);
    }
  };
  check(root, []);
}
