import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRandom, chooseSeed } from '@cdc-migrations/event-model';
import { bodyOf, buildGeneratedFile } from '@cdc-migrations/generated-file';
import { cdcHere } from '../../../packages/cli/src/cdc.fixture.ts';
import { changesSince, treeOf } from '../../../packages/cli/src/repo.fixture.ts';
import { createNodes } from '../../../packages/nx-plugin/plugin.cjs';
import { HAND_WRITTEN, SNAPSHOT } from './damaged-repo.fixture.ts';
import { mutateText } from './mutate-text.ts';
import { watchProgress } from './watch-progress.fixture.ts';

/** Number of mutations per file. */
const COUNT = Number(process.env['CDC_MUTATIONS'] ?? 60);
const MAX_CPU_MS = 2000;
const SHOWN_FAULTS = 5;

/** `<outer>/a/b/repo`. Nothing may read or write files outside of the repo. */
const outer = realpathSync(mkdtempSync(join(tmpdir(), 'cdc-damage-')));
const root = join(outer, 'a/b/repo');
const copy = join(outer, 'a/b/copy');
const CANARY = 'SELECT $canary$';

const GENERATE = ['generate', '--check'];
const DEFINITIONS = [...GENERATE, '--only', 'table-defs'];
const SCHEMAS = [...GENERATE, '--only', 'schemas'];
const TABLES = [...GENERATE, '--only', 'tables'];
const MANIFEST = [...GENERATE, '--only', 'migrations'];
const ONE_TABLE = [...GENERATE, '--table', 'Actor'];
const DIFF = ['diff'];
const TYPES = ['types'];
const STATUS = ['status', '--env', 'nonprod', '--offline'];
const INIT = ['init', root, '--pattern', 'db-per-tenant', '--name', 'x', '--dry-run'];
const POSITIONS = join(root, 'positions.yaml');
const CLEAN = ['clean-cdc', '--env', 'dev', '--all', '--not-past', POSITIONS];
const PIPELINE = ['check', join(root, 'pipeline.yaml')];
const INSERTS = ['check', join(root, 'inserts.sql')];
const NX = ['nx'];

/** Each kind of hand-written or generated file, with the commands that read it. */
const FILES: readonly (readonly [path: string, commands: readonly (readonly string[])[]])[] = [
  ['source-groups.yaml', [SCHEMAS, STATUS, NX, GENERATE]],
  ['sink-groups.yaml', [DEFINITIONS, DIFF, STATUS, GENERATE]],
  ['services/crm.yaml', [DEFINITIONS, DIFF, TYPES, NX, GENERATE]],
  ['services/_schemas/column-templates.yaml', [DEFINITIONS, DIFF, GENERATE]],
  ['services/_schemas/_definitions/source-crm-type-overrides.yaml', [DEFINITIONS, TYPES, GENERATE]],
  ['migrations/manual/0001-first.sql', [MANIFEST, STATUS]],
  ['package.json', [INIT, NX]],
  ['positions.yaml', [CLEAN]],
  ['pipeline.yaml', [PIPELINE]],
  ['inserts.sql', [INSERTS]],
  [SNAPSHOT.path, [DEFINITIONS, DIFF, TYPES, GENERATE]],
  ['generated/table-definitions/Actor.yaml', [DIFF, STATUS, TABLES, ONE_TABLE]],
  ['generated/table-definitions/customer_user.yaml', [DIFF, STATUS, TABLES]],
  ['generated/migration-sets.yaml', [STATUS, SCHEMAS, TABLES, MANIFEST]],
  ['migrations/manifest.yaml', [STATUS, STATUS, STATUS, ONE_TABLE]],
  ['migrations/tables/Actor.sql', [STATUS, TABLES, MANIFEST]],
];

const seed = chooseSeed();
const watch = watchProgress();

beforeAll(async () => {
  for (const [path, text] of Object.entries(HAND_WRITTEN)) write(path, text);
  write(SNAPSHOT.path, buildGeneratedFile(SNAPSHOT.path, {}, SNAPSHOT.body).text);
  for (const name of ['outside.sql', 'outside.yaml']) writeFileSync(join(outer, name), CANARY);
  const { code, stderr } = await cdcHere(['manage-migrations', '--root', root, 'generate']);
  if (code !== 0) throw new Error(stderr);
});

afterAll(async () => {
  await watch.stop();
  rmSync(outer, { recursive: true });
});

const TIMEOUT_MS = Math.max(120_000, COUNT * 100);

it.each(FILES)(
  `handles ${COUNT} random mutations of %s without a fault`,
  (path, commands) => damageOften(path, commands),
  TIMEOUT_MS,
);

async function damageOften(path: string, commands: readonly (readonly string[])[]): Promise<void> {
  const original = readFileSync(join(root, path), 'utf8');
  const before = treeOf(outer);
  const faults: string[] = [];
  const exitCodes = new Map<number, number>();
  for (let at = 0; at < COUNT && faults.length < SHOWN_FAULTS; at++) {
    const command = commands[at % commands.length]!;
    const what = `${path}, mutation ${at} of seed ${seed}: ${command.join(' ')}`;
    watch.begin(what);
    write(path, damage(path, original, seed + at));
    const cpu = process.cpuUsage();
    const { exitCode, fault } = await run(root, command);
    const { user, system } = process.cpuUsage(cpu);
    if (fault !== undefined) faults.push(`${what}: ${fault}`);
    if (user + system > MAX_CPU_MS * 1000) faults.push(`${what}: ${user + system} µs`);
    exitCodes.set(exitCode, (exitCodes.get(exitCode) ?? 0) + 1);
    if (command === GENERATE && exitCode === 1 && at % 3 === 0) await writeCopy(what, faults);
  }
  write(path, original);
  rmSync(join(root, '.nx'), { recursive: true, force: true });
  expect(faults).toEqual([]);
  expect(changesSince(before, outer)).toEqual([]);
  // If all mutations are refused, or all accepted, the test covers little.
  if (commands[0] !== CLEAN) expect(exitCodes.size).toBeGreaterThan(1);
}

/** Builds a damaged file. In three of four generated files, the checksum matches. */
function damage(path: string, original: string, of: number): Buffer {
  const random = createRandom(of);
  const isOurs = original.startsWith('# DO NOT EDIT') || original.startsWith('-- DO NOT EDIT');
  if (!isOurs || random.chance(0.25)) return mutateText(original, random);
  const body = mutateText(bodyOf(original), random).toString();
  return Buffer.from(buildGeneratedFile(path, {}, body).text);
}

/** Generates files in a copy of the repo, where only that copy may be written. */
async function writeCopy(what: string, faults: string[]): Promise<void> {
  cpSync(root, copy, { recursive: true });
  const { fault } = await run(copy, ['generate', '--force']);
  if (fault !== undefined) faults.push(`${what}, written: ${fault}`);
  rmSync(copy, { recursive: true });
}

interface Outcome {
  readonly exitCode: number;
  /** A fault that users must never see. */
  readonly fault?: string;
}

async function run(folder: string, command: readonly string[]): Promise<Outcome> {
  if (command === NX) return makeProject(folder);
  const isPipeline = command === PIPELINE || command === INSERTS;
  const group = isPipeline ? 'manage-pipelines' : 'manage-migrations';
  const words = command === INIT ? command : [group, '--root', folder, ...command];
  const { code, stdout, stderr } = await cdcHere(words);
  const printed = stdout + stderr;
  const exitCode = code ?? -1;
  const isKnown = Number.isInteger(exitCode) && exitCode >= 0 && exitCode <= 6;
  const isFault = !isKnown || STACK.test(printed) || printed.includes(CANARY);
  return { exitCode, ...(isFault && { fault: printed.slice(0, 2000) }) };
}

const STACK = /^\s+at \S.*:\d+:\d+\)?$|This is a defect/m;

/** Builds the repo's Nx project. */
async function makeProject(workspaceRoot: string): Promise<Outcome> {
  const context = { workspaceRoot, nxJsonConfiguration: {} };
  try {
    await createNodes[1](['source-groups.yaml'], undefined, context);
    return { exitCode: 0 };
  } catch (caught) {
    const { errors } = caught as { readonly errors: readonly (readonly [string, Error])[] };
    const isOfUser = ({ constructor, message }: Error) =>
      constructor.name === 'Error' && /^(?:[\w./-]+\.(?:yaml|json)|services)[: ]/.test(message);
    const defect = errors.find(([, error]) => !isOfUser(error));
    return { exitCode: 1, ...(defect && { fault: String(defect[1].stack) }) };
  }
}

function write(path: string, text: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
