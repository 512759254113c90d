/** Texts of an implementation repo by path, or the reason why a file cannot be read. */
export type ConfigFiles = ReadonlyMap<string, FileText>;

/** Text of a file, or the reason why it cannot be read. */
export type FileText = string | { readonly unreadable: string };

export const SOURCE_GROUPS_FILE = 'source-groups.yaml';
export const SINK_GROUPS_FILE = 'sink-groups.yaml';
export const SERVICES_FOLDER = 'services';
export const COLUMN_TEMPLATES_FILE = 'services/_schemas/column-templates.yaml';
export const DEFINITIONS_FOLDER = 'services/_schemas/_definitions';

/** Returns the service of a file, from the file name. A name that begins with `_` or `.` is not a service. */
export function serviceOf(file: string): string | undefined {
  return /^services\/([^_./][^/]*)\.yaml$/.exec(file)?.[1];
}

/** Returns the source group of a file of type overrides. */
export function overriddenGroupOf(file: string): string | undefined {
  return /^services\/_schemas\/_definitions\/source-(.+)-type-overrides\.yaml$/.exec(file)?.[1];
}
