import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';

/** Exports of the libraries. */
export interface PublicApis {
  /** Reports of the libraries by path in the workspace. */
  readonly reports: ReadonlyMap<string, string>;
  /** Exports without a docstring, and required types that are not exported. */
  readonly faults: readonly string[];
}

/**
 * Reports the exports of the libraries, so that reviews show changes of a public API. It reads the declarations in
 * `dist/`.
 */
export function reportApis(root: string): PublicApis {
  const folder = mkdtempSync(join(tmpdir(), 'api-'));
  try {
    const libraries = readdirSync(join(root, 'packages')).filter((name) =>
      existsSync(join(root, 'packages', name, 'dist/index.d.ts')),
    );
    const configs = libraries.map((name) => prepare(root, name, folder));
    const [first, ...others] = configs;
    // One program for all, because they import each other.
    const compilerState = CompilerState.create(first!, {
      additionalEntryPoints: others.map((config) => config.mainEntryPointFilePath),
    });
    const faults = configs.flatMap((config) => writeReport(config, compilerState));
    const reports = libraries.map((name) => {
      const path = `packages/${name}/api.md`;
      const report = readFileSync(join(folder, `${name}.api.md`), 'utf8');
      faults.push(
        ...undocumented(report).map(
          (found) => `${path}: ${found}: expected a docstring, found none`,
        ),
      );
      return [path, condense(report)] as const;
    });
    return { reports: new Map(reports), faults };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function prepare(root: string, name: string, folder: string): ExtractorConfig {
  const projectFolder = join(root, 'packages', name);
  const entry = join(projectFolder, 'dist/index.d.ts');
  return ExtractorConfig.prepare({
    packageJsonFullPath: join(projectFolder, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder,
      mainEntryPointFilePath: entry,
      newlineKind: 'lf',
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: folder,
        reportTempFolder: join(folder, 'temp'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            ...{ target: 'es2022', lib: ['es2023'], module: 'nodenext' },
            ...{ strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true },
            ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
          },
          files: [entry],
        },
      },
    },
  });
}

/** Constants that a type is inferred from. They are not exported with the type. */
const INFERRED_FROM = /^[A-Z_]+$/;
const NAME = /"(.+?)"/;

/** Writes the report and returns problems with the exports. */
function writeReport(config: ExtractorConfig, compilerState: CompilerState): readonly string[] {
  const of = `src/index.ts of ${config.packageJson?.name}`;
  const faults: string[] = [];
  Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    messageCallback(message) {
      message.handled = true;
      const forgotten = message.messageId === 'ae-forgotten-export' && NAME.exec(message.text);
      if (forgotten && !INFERRED_FROM.test(forgotten[1]!))
        faults.push(`${of}: expected the type ${forgotten[1]}, which an export needs, found none`);
      else if (message.logLevel === 'error') faults.push(`${of}: ${message.text}`);
    },
  });
  return faults;
}

/** Lists exports without a docstring. Fields do not need one. */
function undocumented(report: string): readonly string[] {
  const found = report.matchAll(
    /^\/\/ @public \(undocumented\)\nexport (?:class|const|function|interface|type) (\w+)/gm,
  );
  return [...found].map(([, name]) => name!);
}

/** Reduces a report to its declarations. */
function condense(report: string): string {
  return report
    .replace(/^## API Report File for "(.+)"\n\n> .*\n/, '# Public API of $1\n')
    .replace(/^ *\/\/ (?:@public|\(undocumented\)|\(No @packageDocumentation).*\n/gm, '');
}
