import { type ChildProcess, spawn } from 'node:child_process';

/**
 * A shell that outlives us by an instant. It reads a pipe that nobody writes to; when we end, killed or not,
 * the pipe ends, and it stops the server of `folder` at once and removes the folder.
 */
export function startWatchdog(folder: string): ChildProcess {
  const watchdog = spawn('sh', ['-c', SCRIPT, 'watchdog', folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  const pipe = watchdog.stdin;
  if (pipe && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  return watchdog;
}

/** SIGQUIT is PostgreSQL's immediate shutdown: the server ends its backends and exits. */
const SCRIPT = `
read -r nothing
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
  kill -QUIT "$pid"
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 "$pid" || break
    sleep 0.2
  done
  kill -KILL "$pid"
fi
rm -rf "$1"
`;
