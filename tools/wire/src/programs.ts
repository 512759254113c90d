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

/** Where the programs of this checkout are. */
export interface Programs {
  /** Folder of the Go programs. */
  readonly bin: string;
  /** Class path of the Java programs and of all that they run. */
  readonly classPath: string;
}

/** For a hook that is the first to need the programs. */
export const BUILT_WITHIN_MS = 900_000;

const HERE = fileURLToPath(new URL('..', import.meta.url));
const BUILDS = join(HERE, '../../tmp/wire');
const MAVEN_COPY = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies';

/** What builds and runs the programs, and how it is asked for its version. */
const TOOLS = { go: ['version'], javac: ['-version'], mvn: ['-version'] };

interface Describe {
  (name: string, body: () => void): void;
  readonly skip: (name: string, body: () => void) => void;
}

/** The one of Jest, which is there when specs run. */
declare const describe: Describe;

/** Describes what holds with the real parts. Without Go, Java or Maven the tests are skipped, and a line says so. */
export function describeWire(name: string, body: () => void): void {
  const missing = Object.entries(TOOLS).flatMap(([tool, args]) =>
    spawnSync(tool, args, { stdio: 'ignore' }).status === 0 ? [] : [tool],
  );
  if (missing.length === 0) return describe(name, body);
  process.stderr.write(`skipped: ${name}: needs ${missing.join(', ')} in PATH\n`);
  describe.skip(`${name} (skipped: needs ${missing.join(', ')})`, body);
}

/**
 * Builds the Go and the Java programs unless this checkout has them. The first build fetches modules and jars; after it
 * nothing is fetched.
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

/** One process builds, the others wait for it. A lock whose owner is gone is taken over. */
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

/** Builds beside the folder and renames: what has the name is complete. Builds of older sources go. */
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

/** Name of the build: what is built from decides it. */
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
