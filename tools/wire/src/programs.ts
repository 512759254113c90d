import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Location of the built programs. */
export interface Programs {
  /** Folder of the Go programs. */
  readonly bin: string;
  /** Class path of the Java programs with their dependencies. */
  readonly classPath: string;
}

/** Timeout for a hook that may have to build the programs. */
export const BUILT_WITHIN_MS = 900_000;

const HERE = fileURLToPath(new URL('..', import.meta.url));
const BUILDS = join(HERE, '../../tmp/wire');
const MAVEN_COPY = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies';

/** Tools to build and run the programs, with their version option. */
const TOOLS = { go: ['version'], javac: ['-version'], mvn: ['-version'] };

interface Describe {
  (name: string, body: () => void): void;
  readonly skip: (name: string, body: () => void) => void;
}

/** Jest's function, which exists when specs run. */
declare const describe: Describe;

/** Describes tests with the real parts. Without Go, Java or Maven the tests are skipped with a message. */
export function describeWire(name: string, body: () => void): void {
  const missing = Object.entries(TOOLS).flatMap(([tool, args]) =>
    spawnSync(tool, args, { stdio: 'ignore' }).status === 0 ? [] : [tool],
  );
  if (missing.length === 0) return describe(name, body);
  process.stderr.write(`skipped: ${name}: needs ${missing.join(', ')} in PATH\n`);
  describe.skip(`${name} (skipped: needs ${missing.join(', ')})`, body);
}

/**
 * Builds the Go and Java programs if this checkout does not have them. The first build downloads modules and jars,
 * later ones download nothing.
 */
export async function openPrograms(): Promise<Programs> {
  const folder = join(BUILDS, hashSources());
  if (!existsSync(folder)) {
    mkdirSync(BUILDS, { recursive: true });
    await buildAlone(folder);
  }
  const java = ['classes', 'lib/*'].map((part) => join(folder, part)).join(':');
  return { bin: join(folder, 'bin'), classPath: java };
}

/** Builds in one process while the others wait. A lock of an ended process is taken over. */
async function buildAlone(folder: string): Promise<void> {
  const lock = join(BUILDS, 'lock');
  while (!tryLock(lock)) {
    await sleep(200);
    if (existsSync(folder)) return;
  }
  const refresh = setInterval(() => utimesSync(lock, new Date(), new Date()), LOCK_REFRESHED_MS);
  try {
    if (!existsSync(folder)) await build(folder);
  } finally {
    clearInterval(refresh);
    rmSync(lock, { recursive: true, force: true });
  }
}

const LOCK_REFRESHED_MS = 1000;
const LOCK_STALE_MS = 15_000;

function tryLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const touched = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - touched > LOCK_STALE_MS) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

/**
 * Builds in a temporary folder and renames it, so that a folder with the final name is complete. Removes builds of
 * older sources.
 */
async function build(folder: string): Promise<void> {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  for (const part of ['bin', 'classes', 'lib']) mkdirSync(join(partial, part), { recursive: true });
  const java = join(HERE, 'java');
  const jars = [MAVEN_COPY, '-DincludeScope=runtime', `-DoutputDirectory=${join(partial, 'lib')}`];
  const classes = ['-d', join(partial, 'classes'), '-cp', join(partial, 'lib/*')];
  await Promise.all([
    run('go', ['build', '-o', join(partial, 'bin'), './...'], join(HERE, 'go')),
    run('mvn', ['-q', '-B', ...jars], java).then(() =>
      run('javac', [...classes, ...listSources(java, '.java')], java),
    ),
  ]);
  for (const older of readdirSync(BUILDS)) {
    if (older !== 'lock' && older !== basename(partial)) {
      rmSync(join(BUILDS, older), { recursive: true, force: true });
    }
  }
  renameSync(partial, folder);
}

async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await promisify(execFile)(program, [...args], { cwd, maxBuffer: 1 << 26 });
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args[0]} failed in ${cwd}:\n${stdout}${stderr}`, { cause });
  }
}

/** Returns the name of the build, a hash of its sources. */
function hashSources(): string {
  const hash = createHash('sha256');
  for (const file of ['go', 'java'].flatMap((folder) => listSources(join(HERE, folder), ''))) {
    hash.update(`${relative(HERE, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function listSources(folder: string, suffix: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
