import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { ROOT } from './packages.mjs';

/** @import { Manifest } from './packages.mjs' */

/**
 * A packed package: its manifest, and the text of each file by path.
 *
 * @typedef {{ readonly manifest: Manifest, readonly files: ReadonlyMap<string, string> }} Contents
 */

const DEVELOPMENT = [
  /\.(spec|fixture)\.\w+$/,
  /\.tsbuildinfo$/,
  /(^|\/)(cases|node_modules|tmp)\//,
  /(^|\/)tsconfig[^/]*\.json$/,
  /(^|\/)(build|licenses)\.mjs$/,
];
/** Scripts that npm runs when a package is installed. */
const INSTALL_SCRIPT = /^(pre|post)?(install|prepare)$/;
const LINK = /\]\((?!https?:|#)([^)#]+)/g;

/** @type {readonly ((contents: Contents, versions: ReadonlyMap<string, string>) => string[])[]} */
const RULES = [
  checkManifest,
  checkLicense,
  checkReadme,
  checkNoDevelopmentFiles,
  checkBuild,
  checkImports,
  checkRanges,
];

/**
 * Lists problems of a package besides those that publint and attw find.
 *
 * @param {Contents} contents
 * @param {ReadonlyMap<string, string>} versions of all packages of this workspace that are published
 * @returns {string[]}
 */
export function checkContents(contents, versions) {
  return RULES.flatMap((rule) => rule(contents, versions));
}

/** @type {typeof RULES[number]} */
function checkManifest({ manifest }) {
  const root = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const wrong = [];
  if (manifest.license !== root.license) wrong.push(`license is not ${root.license}`);
  if (manifest.engines?.node !== root.engines.node)
    wrong.push(`engines.node is not ${root.engines.node}`);
  if (!manifest.description) wrong.push('no description');
  if (!manifest.keywords?.length) wrong.push('no keywords');
  if (manifest.repository?.url !== root.repository.url || !manifest.repository?.directory)
    wrong.push(`repository is not a directory of ${root.repository.url}`);
  if (!manifest.homepage) wrong.push('no homepage');
  if (manifest.bugs !== root.bugs) wrong.push(`bugs is not ${root.bugs}`);
  if (!manifest.exports && !manifest.bin) wrong.push('neither exports nor bin');
  for (const script of Object.keys(manifest.scripts ?? {}))
    if (INSTALL_SCRIPT.test(script)) wrong.push(`${script} runs when it is installed`);
  return wrong.map((text) => `package.json: ${text}`);
}

/**
 * Checks our license, and the licenses of bundled code.
 *
 * @type {typeof RULES[number]}
 */
function checkLicense({ manifest, files }) {
  const license = readFileSync(join(ROOT, 'LICENSE'), 'utf8');
  return [
    ...(files.get('LICENSE') === license ? [] : ["LICENSE is not the workspace's"]),
    ...(manifest.bin && !files.has('dist/LICENSES.txt') ? ['dist/LICENSES.txt is not there'] : []),
  ];
}

/** @type {typeof RULES[number]} */
function checkReadme({ manifest, files }) {
  const readme = files.get('README.md') ?? '';
  const wrong = [];
  if (!readme.startsWith(`# ${manifest.name}\n`)) wrong.push(`does not begin with the name`);
  if (!/^```(js|ts|sh|console)$/m.test(readme)) wrong.push('has no example');
  for (const [, link] of readme.matchAll(LINK))
    if (!files.has(posix.normalize(link ?? '')))
      wrong.push(`links to ${link}, which is not packed`);
  return wrong.map((text) => `README.md ${text}`);
}

/** @type {typeof RULES[number]} */
function checkNoDevelopmentFiles({ files }) {
  return [...files.keys()]
    .filter((path) => DEVELOPMENT.some((pattern) => pattern.test(path)))
    .map((path) => `${path} is of no use to others`);
}

/**
 * Checks that every source of an unbundled package is built, and that no output of a removed source remains.
 *
 * @type {typeof RULES[number]}
 */
function checkBuild({ files }) {
  const stems = (/** @type {RegExp} */ pattern) =>
    new Set([...files.keys()].flatMap((path) => pattern.exec(path)?.[1] ?? []));
  const sources = stems(/^src\/(.*)\.ts$/);
  if (sources.size === 0) return [];
  const built = stems(/^dist\/(.*)\.js$/);
  return [
    ...[...sources].filter((stem) => !built.has(stem)).map((stem) => `src/${stem}.ts is not built`),
    ...[...built]
      .filter((stem) => !sources.has(stem))
      .map((stem) => `dist/${stem}.js is left of a source that is gone; remove dist and build`),
  ];
}

/**
 * Checks that imports of the code are in the package or installed with it.
 *
 * @type {typeof RULES[number]}
 */
function checkImports({ manifest, files }) {
  const installed = {
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
    [manifest.name]: manifest.version,
  };
  return [...files]
    .filter(([path]) => /\.(d\.ts|[cm]?js)$/.test(path))
    .flatMap(([path, text]) =>
      listImports(text)
        .filter((specifier) => !builtinModules.includes(specifier.replace(/^node:/, '')))
        .filter((specifier) => !isThere(specifier, path, files, installed))
        .map(
          (specifier) => `${path} imports ${specifier}, which is not there when it is installed`,
        ),
    );
}

/**
 * @param {string} text
 * @returns {string[]} what is imported or required, each once
 */
function listImports(text) {
  const { importedFiles } = ts.preProcessFile(text, true, true);
  return [...new Set(importedFiles.map(({ fileName }) => fileName))];
}

/**
 * @param {string} specifier
 * @param {string} from path of the file that has it
 * @param {ReadonlyMap<string, string>} files
 * @param {Readonly<Record<string, string>>} installed
 */
function isThere(specifier, from, files, installed) {
  if (!specifier.startsWith('.')) {
    const [, name = ''] = /^((?:@[^/]+\/)?[^/]+)/.exec(specifier) ?? [];
    return name in installed;
  }
  const path = posix.join(posix.dirname(from), specifier);
  // Declarations name sources. TypeScript resolves them to the declaration of the same name.
  return [path, `${path}.cjs`, path.replace(/\.ts$/, '.d.ts')].some((file) => files.has(file));
}

/**
 * Checks that npm can resolve version ranges. For our packages, the range must include the version that is published
 * together.
 *
 * @type {typeof RULES[number]}
 */
function checkRanges({ manifest }, versions) {
  const ranges = Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies });
  return ranges.flatMap(([name, range]) => {
    const version = versions.get(name);
    if (name.startsWith('@cdc-migrations/') && version === undefined)
      return [`package.json: depends on ${name}, which is not published`];
    if (version !== undefined && range !== `^${version}`)
      return [`package.json: depends on ${name} ${range}; would be ^${version}`];
    return /^[\^~]?\d/.test(range)
      ? []
      : [`package.json: ${name} ${range} is no range of versions`];
  });
}
