import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { edit, write } from '../repo.fixture.ts';

/** A column of a source table and its later names. */
export interface YearColumn {
  name: string;
  kind: 'text' | 'number';
  /** Width of its type. */
  level: number;
  nullable: boolean;
  /** Earlier names, newest first. */
  readonly formerly: string[];
}

export interface YearTable {
  readonly source: string;
  name: string;
  readonly key: YearColumn;
  readonly columns: YearColumn[];
  /** Columns with a declared index. */
  readonly indexed: YearColumn[];
  staging: 'logged' | 'unlogged';
  /** Partitions by the key. */
  partitions?: YearPartitions | undefined;
}

/** Declared partitions of a table. */
export interface YearPartitions {
  readonly method: 'range' | 'list' | 'hash';
  /** Entries of the list. The first one has the rows of the test. */
  readonly parts: { name: string; readonly bounds: string }[];
}

/** A file of users. After a rename of its table it is written again. */
export interface YearFile {
  readonly folder: 'manual' | 'after' | 'repeatable';
  readonly name: string;
  readonly table?: YearTable;
  readonly column?: YearColumn;
  readonly text: () => string;
  /** Statements that drop the objects of the file, in order. */
  readonly drops: readonly string[];
  /** Last written text of a file that runs once. */
  written?: string;
}

const NUMBERS = ['smallint', 'int', 'bigint', 'decimal, precision: 20, scale: 0'];
export const LEVELS = { text: 5, number: NUMBERS.length } as const;

export const typeOf = ({ kind, level }: YearColumn): string =>
  kind === 'number' ? NUMBERS[level]! : `nvarchar, length: ${20 * 2 ** level}`;

/** An implementation repo as its configuration describes it. */
export class Year {
  readonly customers: string[] = ['avansas', 'blue'];
  readonly tables: YearTable[] = [];
  readonly files: YearFile[] = [];
  private count = 0;

  constructor(readonly root: string) {
    edit(
      root,
      'services/adopus.yaml',
      '        public.customer_user:\n          from: dbo.Fraver\n          target_exists: true\n          columns: { FraverId: fraver_id }\n',
      '',
    );
  }

  /** Returns an unused name. */
  fresh(word: string): string {
    return `${word}${(this.count += 1)}`;
  }

  number(): string {
    return String((this.count += 1)).padStart(4, '0');
  }

  /** Writes all files of users and the snapshot. */
  write(): void {
    const { root, customers, tables, files } = this;
    const sources = customers.map(
      (name) =>
        `    ${name}:\n      schemas: [dbo]\n      nonprod: { server: default, database: Db_${name} }\n`,
    );
    write(
      root,
      'source-groups.yaml',
      `adopus:\n  pattern: db-per-tenant\n  type: mssql\n  servers:\n    default: { host: db.example, port: 1433, user: cdc, password: '\${MSSQL_PASSWORD}' }\n  sources:\n${sources.join('')}`,
    );
    write(
      root,
      'services/adopus.yaml',
      `adopus:\n  source:\n    validation_database: AdOpusTest\n    validation_env: nonprod\n    tables:\n${tables.map(({ source }) => `      dbo.${source}: {}\n`).join('')}  sinks:\n    sink_asma.directory:\n      tables:\n${tables.map(sinkYaml).join('')}`,
    );
    write(
      root,
      'generated/schemas/AdOpusTest.dbo.yaml',
      `database: AdOpusTest\nschema: dbo\ntype: mssql\npattern: db-per-tenant\ntables:\n${tables.map(snapshotYaml).join('')}`,
    );
    for (const file of files) {
      if (file.folder !== 'repeatable') file.written ??= file.text();
      write(root, pathOf(file), file.written ?? file.text());
    }
  }

  remove(file: YearFile): void {
    this.files.splice(this.files.indexOf(file), 1);
    rmSync(join(this.root, pathOf(file)));
  }
}

export const pathOf = ({ folder, name }: Pick<YearFile, 'folder' | 'name'>): string =>
  `migrations/${folder}/${name}.sql`;

function sinkYaml({ name, source, key, columns, indexed, staging, partitions }: YearTable): string {
  const renames = [key, ...columns].flatMap((column) =>
    column.formerly.map(
      (old, age) => `${old}: ${age === 0 ? column.name : column.formerly[age - 1]}`,
    ),
  );
  return [
    `        adopus.${name}:`,
    `          from: dbo.${source}`,
    '          target_exists: false',
    '          column_templates: [customer_id]',
    ...(staging === 'logged' ? ['          staging: logged'] : []),
    ...(indexed.length > 0
      ? [`          indexes: [${indexed.map((one) => `{ columns: [${one.name}] }`).join(', ')}]`]
      : []),
    ...(partitions ? [`          partition_by: ${partitionsYaml(key, partitions)}`] : []),
    ...(renames.length > 0 ? [`          renames: { ${renames.join(', ')} }`] : []),
    '',
  ].join('\n');
}

function partitionsYaml({ name }: YearColumn, { method, parts }: YearPartitions): string {
  if (method === 'hash') return `{ hash: [${name}], count: 2 }`;
  const list = parts.map((part) => `{ name: ${part.name}${part.bounds} }`);
  return `{ ${method}: [${name}], partitions: [${list.join(', ')}] }`;
}

function snapshotYaml({ source, key, columns }: YearTable): string {
  const lines = [key, ...columns].map(
    (column) =>
      `      - { name: ${column.name}, type: ${typeOf(column)}, nullable: ${column.nullable} }\n`,
  );
  return `  ${source}:\n    columns:\n${lines.join('')}    primary_key: { name: PK_${source}, columns: [${key.name}] }\n`;
}
