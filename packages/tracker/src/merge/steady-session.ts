import { pause, startDelays, type Delays } from '@cdc-migrations/session';
import { openSession, type Session, type TargetAddress } from '../session/session.ts';
import { TargetError } from '../session/target-error.ts';
import type { MergeEvent } from './merge-event.ts';

const DELAYS: Delays = { firstMs: 100, longestMs: 30_000 };

/** Connection state of a run's target. A loss is reported once for all sessions. */
export interface Line {
  readonly onEvent: (event: MergeEvent) => void;
  isLost: boolean;
}

/** A session that reconnects after a lost connection. */
export interface SteadySession {
  /** @throws TargetError */
  use<Result>(work: (session: Session) => Promise<Result>): Promise<Result>;
  /**
   * Runs like `use` and retries when the target fails, with growing pauses (100 ms to 30 s), until `signal` aborts.
   * Returns undefined then.
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

/** Returns true if the connection failed and not only a statement. */
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
