import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import {
  COLUMN_TEMPLATES_FILE,
  DEFINITIONS_FOLDER,
  overriddenGroupOf,
  SERVICES_FOLDER,
  serviceOf,
  SINK_GROUPS_FILE,
  SOURCE_GROUPS_FILE,
  type ConfigFiles,
  type FileText,
} from './config-files.ts';
import type { Config, ServiceConfig, SourceGroup } from './config.ts';
import { parseConfig, parseServiceConfig, parseSourceGroups } from './parse-config.ts';
import { RepoPathError, resolveRepoPath } from '@cdc-migrations/generated-file';

/** Reads the configuration of the implementation repo in the folder `root`. Throws a ConfigError with every problem. */
export function readConfig(root: string): Config {
  return parseConfig(readFiles(root, [SOURCE_GROUPS_FILE, SINK_GROUPS_FILE]));
}

/** Reads the configuration that table definitions are built from, without `source-groups.yaml`. */
export function readServiceConfig(root: string): ServiceConfig {
  return parseServiceConfig(readFiles(root, [SINK_GROUPS_FILE]));
}

/** Reads only the source groups. */
export function readSourceGroups(root: string): readonly SourceGroup[] {
  const text = readText(root, SOURCE_GROUPS_FILE);
  return parseSourceGroups(new Map(text === undefined ? [] : [[SOURCE_GROUPS_FILE, text]]));
}

function readFiles(root: string, groupFiles: readonly string[]): ConfigFiles {
  const files = new Map<string, FileText>();
  for (const file of [...groupFiles, COLUMN_TEMPLATES_FILE]) {
    const text = readText(root, file);
    if (text !== undefined) files.set(file, text);
  }
  for (const folder of [SERVICES_FOLDER, DEFINITIONS_FOLDER]) readFolder(root, folder, files);
  return files;
}

/** Adds the files of a folder whose names mark them as configuration. */
function readFolder(root: string, folder: string, files: Map<string, FileText>): void {
  let names: readonly string[];
  try {
    names = readdirSync(resolveRepoPath(root, folder)).sort();
  } catch (error) {
    const unreadable = reasonOf(error, 'folder');
    if (unreadable !== undefined) files.set(folder, { unreadable });
    return;
  }
  for (const name of names) {
    const file = `${folder}/${name}`;
    const rightName = file.replace(/\.yml$/, '.yaml');
    if (serviceOf(rightName) === undefined && overriddenGroupOf(rightName) === undefined) continue;
    files.set(
      file,
      rightName === file
        ? (readText(root, file) ?? { unreadable: 'expected a YAML file, found none any more' })
        : { unreadable: `this file is ignored; rename it to ${rightName}` },
    );
  }
}

/** Reads the text of a file. Returns undefined if the file does not exist. */
function readText(root: string, file: string): FileText | undefined {
  try {
    const bytes = readFileSync(resolveRepoPath(root, file));
    if (isUtf8(bytes)) return bytes.toString('utf8');
    return { unreadable: 'expected UTF-8, found other bytes; save the file as UTF-8' };
  } catch (error) {
    const unreadable = reasonOf(error, 'YAML file');
    return unreadable === undefined ? undefined : { unreadable };
  }
}

/** Returns the reason why a path cannot be read, or undefined if it does not exist. */
function reasonOf(error: unknown, expected: string): string | undefined {
  if (error instanceof RepoPathError) return error.reason;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return undefined;
  if (code === 'EISDIR') return `expected a ${expected}, found a folder`;
  if (code === 'ENOTDIR') return `expected a ${expected}, found a file in place of its folder`;
  return `expected a ${expected} that can be read, found ${code}`;
}
