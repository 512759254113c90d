/** Texts of an implementation repo by path, or why one of them could not be had. */
export type ConfigFiles = ReadonlyMap<string, FileText>;

/** The text of a file, or why it cannot be read. */
export type FileText = string | { readonly unreadable: string };

export const SOURCE_GROUPS_FILE = 'source-groups.yaml';
export const SINK_GROUPS_FILE = 'sink-groups.yaml';
export const SERVICES_FOLDER = 'services';
export const COLUMN_TEMPLATES_FILE = 'services/_schemas/column-templates.yaml';
export const DEFINITIONS_FOLDER = 'services/_schemas/_definitions';

/** The service that a file is of, by its name; a name that begins with `_` or `.` is no service. */
export function serviceOf(file: string): string | undefined {
  return /^services\/([^_./][^/]*)\.yaml$/.exec(file)?.[1];
}

/** The source group that a file of type overrides is for. */
export function overriddenGroupOf(file: string): string | undefined {
  return /^services\/_schemas\/_definitions\/source-(.+)-type-overrides\.yaml$/.exec(file)?.[1];
}
