import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { resolveRepoPath } from '@cdc-migrations/generated-file';
import type { GenerateOptions } from './generate-options.ts';
import type { FileStep } from '../repo/plan-files.ts';

/** Result of a run with every file up to date. The next run of the same tool on the same files has nothing to do. */
export interface LastRun {
  /** Fingerprint of all files that a run reads and writes, of its role and of the tool. */
  readonly fingerprint: string;
  readonly steps: readonly Pick<FileStep, 'path' | 'action'>[];
  readonly warnings: readonly string[];
}

/** State of a repo at the start of a run, for comparison with the last run. */
export interface RepoState {
  /** The last run, if it left the repo in exactly this state. */
  readonly lastRun: LastRun | undefined;
  /** Records that the run has left all files as `steps` have them. */
  readonly keep: (steps: readonly FileStep[], warnings: readonly string[]) => void;
}

/** With fewer files, generating is faster than the cache is worth. */
const FEWEST_FILES = 1000;
const MOST_DAYS = 30;
const MS_PER_DAY = 86_400_000;

/** Files and folders that contain everything that a run reads or writes. */
const FILES = ['source-groups.yaml', 'sink-groups.yaml'];
const FOLDERS = ['services', 'generated', 'migrations'];
const INPUT =
  /^(?:[^/]+|services\/.*|generated\/schemas\/.*|migrations\/.*(?:manual|after|repeatable)\/.*)$/;

/**
 * Reads the state of a large repo. Returns undefined if the run must not use the cache: `--check` and `--force` promise
 * a full run, and runs of one stage or some tables do less. The cache is in the user's cache folder, because a repo
 * could contain a forged one.
 */
export function readRepoState(
  root: string,
  readRole: () => string,
  { check, force, only, table, service }: GenerateOptions,
): RepoState | undefined {
  const folder = cacheFolder(process.env);
  if (check || force || only || table || service || folder === undefined) return undefined;
  const [tool, role] = [digestTool(), readRole()];
  const before = tool === undefined ? undefined : readTokens(root);
  if (tool === undefined || !before || before.size < FILES.length) return undefined;
  const note = join(folder, `generate-${sha256(root).slice(0, 32)}.json`);
  const fingerprint = (tokens: ReadonlyMap<string, string>) => {
    const hash = createHash('sha256').update(JSON.stringify([tool, process.version, role]));
    for (const path of [...tokens.keys()].sort()) hash.update(`\0${path}\0${tokens.get(path)!}`);
    return hash.digest('hex');
  };
  const lastRun = readNote(note);
  return {
    lastRun: lastRun?.fingerprint === fingerprint(before) ? lastRun : undefined,
    keep: (steps, warnings) => {
      const after = new Map(before);
      for (const { path, action, text } of steps) {
        if (action === 'remove') after.delete(path);
        else if (text !== undefined) after.set(path, tokenOfWritten(text));
      }
      if (after.size < FEWEST_FILES || inputsChanged(root, before)) return;
      const left = steps.filter(({ action }) => action !== 'remove');
      const kept = left.map(({ path, action }) => ({
        path,
        action: action === 'extra' ? action : ('keep' as const),
      }));
      writeNote(folder, note, { fingerprint: fingerprint(after), steps: kept, warnings });
    },
  };
}

/** Returns the cache folder of the user, or undefined if there is none. */
function cacheFolder(env: NodeJS.ProcessEnv): string | undefined {
  const home = homedir();
  const ofSystem: { readonly [platform: string]: string | undefined } = {
    darwin: home && join(home, 'Library/Caches'),
    win32: env['LOCALAPPDATA'],
  };
  const base =
    env['XDG_CACHE_HOME'] || (ofSystem[process.platform] ?? (home && join(home, '.cache')));
  return base ? join(base, 'cdc-migrations') : undefined;
}

/**
 * Returns a digest of the bundle with all templates. Returns undefined for code that runs from its sources, which can
 * change at any time.
 */
function digestTool(): string | undefined {
  const folder = import.meta.dirname;
  if (!existsSync(join(folder, 'main.js'))) return undefined;
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith('.js')) hash.update(`\0${name}\0`).update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex');
}

/**
 * Returns a token of each file by path. Returns undefined if something is not a plain file or folder, or cannot be
 * read.
 */
function readTokens(root: string): Map<string, string> | undefined {
  const tokens = new Map<string, string>();
  try {
    for (const file of FILES) {
      const path = resolveRepoPath(root, file);
      if (existsSync(path)) tokens.set(file, tokenOf(readFileSync(path)));
    }
    for (const folder of FOLDERS) {
      if (!existsSync(join(root, folder))) continue;
      if (!readFolder(resolveRepoPath(root, folder), folder, tokens)) return undefined;
    }
    return tokens;
  } catch {
    return undefined; // The run itself finds and reports the problem.
  }
}

function readFolder(at: string, folder: string, tokens: Map<string, string>): boolean {
  return readdirSync(at, { withFileTypes: true }).every((entry) => {
    const [file, path] = [join(at, entry.name), `${folder}/${entry.name}`];
    if (entry.isDirectory()) return readFolder(file, path, tokens);
    if (entry.isFile()) tokens.set(path, tokenOf(readFileSync(file)));
    return entry.isFile();
  });
}

const HEADER_END = '\n\n';
/** Longer than any header, except with names of thousands of characters. */
const HEADER_BYTES = 4096;
const CHECKSUM = / Checksum: sha256:([0-9a-f]{64})$/;

/** Returns the header of a generated file if the body matches its checksum, otherwise a checksum of the whole file. */
function tokenOf(bytes: Buffer): string {
  const end = bytes.subarray(0, HEADER_BYTES).indexOf(HEADER_END);
  const header = end < 0 ? '' : bytes.toString('utf8', 0, end);
  const recorded = CHECKSUM.exec(header)?.[1];
  return recorded !== undefined && recorded === sha256(bytes.subarray(end + HEADER_END.length))
    ? header
    : sha256(bytes);
}

/** Returns the token of a text that was just generated, without computing its checksum again. */
function tokenOfWritten(text: string): string {
  const end = text.slice(0, HEADER_BYTES).indexOf(HEADER_END);
  const header = text.slice(0, Math.max(end, 0));
  return CHECKSUM.test(header) ? header : sha256(text);
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Returns true if a file that a run reads was changed during the run. Added and removed files show in the next run. */
function inputsChanged(root: string, before: ReadonlyMap<string, string>): boolean {
  return [...before].some(([path, token]) => {
    if (!INPUT.test(path)) return false;
    try {
      return tokenOf(readFileSync(resolveRepoPath(root, path))) !== token;
    } catch {
      return true;
    }
  });
}

/** Returns undefined if there is no usable cache. */
function readNote(file: string): LastRun | undefined {
  try {
    const note: Partial<LastRun> = JSON.parse(readFileSync(file, 'utf8'));
    const { fingerprint, steps, warnings } = note;
    return fingerprint !== undefined && steps && warnings
      ? { fingerprint, steps, warnings }
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Writes the cache, and removes the caches of repos without a run for a long time. Failures are ignored because the
 * cache is optional.
 */
function writeNote(folder: string, file: string, note: LastRun): void {
  const part = `${file}.${randomUUID()}.part`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(part, JSON.stringify(note), { mode: 0o600 });
    renameSync(part, file);
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const isOld = Date.now() - statSync(path).mtimeMs > MOST_DAYS * MS_PER_DAY;
      if (name.startsWith('generate-') && isOld) rmSync(path);
    }
  } catch {
    if (existsSync(part)) rmSync(part);
  }
}
