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

/** Tools to build and run the programs, with their version option. */
const TOOLS = { go: ['version'], javac: ['-version'], mvn: ['-version'] };

interface Describe {
  (name: string, body: () => void): void;
  readonly skip: (name: string, body: () => void) => void;
}

/** Jest's functions, which exist when specs run. */
declare const describe: Describe;
declare const beforeAll: (hook: () => Promise<unknown>, timeoutMs: number) => void;

/**
 * Describes tests with the real parts, and builds the programs before the first of them. Without Go, Java or Maven the
 * tests are skipped with a message.
 */
export function describeWire(name: string, body: () => void): void {
  const missing = Object.entries(TOOLS).flatMap(([tool, args]) =>
    spawnSync(tool, args, { stdio: 'ignore' }).status === 0 ? [] : [tool],
  );
  if (missing.length === 0) {
    return describe(name, () => {
      beforeAll(openPrograms, BUILT_WITHIN_MS);
      body();
    });
  }
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
  await run('bash', ['build.sh', partial], HERE);
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
  const sources = ['go', 'java'].flatMap((folder) => listSources(join(HERE, folder)));
  for (const file of [...sources, join(HERE, 'build.sh')]) {
    hash.update(`${relative(HERE, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function listSources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
