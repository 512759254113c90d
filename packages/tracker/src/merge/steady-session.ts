import { pause, startDelays, type Delays } from '@cdc-migrations/session';
import { openSession, type Session, type TargetAddress } from '../session/session.ts';
import { TargetError } from '../session/target-error.ts';
import type { MergeEvent } from './merge-event.ts';

const DELAYS: Delays = { firstMs: 100, longestMs: 30_000 };

/** Whether the target answers the sessions of a run; told once, whoever finds out. */
export interface Line {
  readonly onEvent: (event: MergeEvent) => void;
  isLost: boolean;
}

/** A session that is opened again when its connection was lost. */
export interface SteadySession {
  /** @throws TargetError */
  use<Result>(work: (session: Session) => Promise<Result>): Promise<Result>;
  /**
   * As `use`, but tries again when the target fails, longer from try to try (100 ms to 30 s), until `signal` aborts;
   * undefined then.
   */
  insist<Result>(
    work: (session: Session) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result | undefined>;
  close(): Promise<void>;
}

export function openSteadySession(
  address: TargetAddress,
  application: string,
  line: Line,
): SteadySession {
  let session: Session | undefined;
  const open = async () => {
    if (session && !session.isLost) return session;
    await session?.close();
    session = openSession(address, application);
    return session;
  };
  const use: SteadySession['use'] = async (work) => {
    try {
      return await work(await open());
    } catch (error) {
      if (isConnectionError(error)) await drop();
      throw error;
    }
  };
  const drop = async () => {
    const lost = session;
    session = undefined;
    await lost?.close();
  };
  return {
    use,
    async insist(work, signal) {
      const nextDelayMs = startDelays(DELAYS);
      while (!signal.aborted) {
        try {
          const result = await use(work);
          tellFound(line);
          return result;
        } catch (error) {
          if (!(error instanceof TargetError)) throw error;
          tellLost(line, error);
        }
        await pause(nextDelayMs(), signal);
      }
      return undefined;
    },
    close: drop,
  };
}

/** Whether the connection is gone, and not only the statement. */
export function isConnectionError(error: unknown): error is TargetError {
  return error instanceof TargetError && error.kind === 'connection';
}

function tellLost(line: Line, { message }: TargetError): void {
  if (!line.isLost) line.onEvent({ kind: 'interrupted', reason: message });
  line.isLost = true;
}

function tellFound(line: Line): void {
  if (line.isLost) line.onEvent({ kind: 'resumed' });
  line.isLost = false;
}
