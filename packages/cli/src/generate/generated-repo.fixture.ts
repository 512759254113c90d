import { generate } from '../cdc.fixture.ts';
import {
  changesSince,
  copyOf,
  edit,
  read,
  smallRepo,
  treeOf,
  write,
  type Tree,
} from '../repo.fixture.ts';

/** Provides a small generated repo that is copied for each test of a file. */
export function useGeneratedRepo() {
  let before: Tree;
  const repo = {
    /** The original repo, which tests do not change. */
    done: '',
    /** The copy for a test. */
    root: '',
    generate: (args: readonly string[] = []) => generate(repo.root, args),
    edit: (path: string, from: string, to: string) => edit(repo.root, path, from, to),
    read: (path: string) => read(repo.root, path),
    write: (path: string, text: string) => write(repo.root, path, text),
    /** Sets the state that `changes` compares with. The default is the start of the test. */
    remember: () => void (before = treeOf(repo.root)),
    changes: () => changesSince(before, repo.root),
  };

  beforeAll(() => {
    repo.done = smallRepo();
    expect(generate(repo.done).code).toBe(0);
  });

  beforeEach(() => {
    repo.root = copyOf(repo.done);
    repo.remember();
  });

  return repo;
}
