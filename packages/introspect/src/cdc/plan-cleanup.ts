import type { Lsn } from './lsn.ts';

/** A capture instance as it is really named. */
export interface CleanupInstance {
  readonly instance: string;
  readonly schema: string;
  readonly table: string;
  /** Table of the schema `cdc` that holds its changes. */
  readonly changeTable: string;
  readonly startLsn: Lsn;
}

/** How far changes may be forgotten; both are entries of `cdc.lsn_time_mapping`. */
export interface CleanupLimits {
  /** The last entry that is old enough; undefined where none is. */
  readonly byTime: Lsn | undefined;
  /** By instance: the last entry that is not past what its slowest consumer has read; undefined for no such entry. */
  readonly byConsumer?: ReadonlyMap<string, Lsn | undefined>;
}

/** What is to be done for an instance, and why nothing where it is nothing. */
export type CleanupStep = CleanupInstance &
  (
    | { readonly step: 'clean'; readonly mark: Lsn; readonly limitedBy: 'days' | 'not-past' }
    | { readonly step: 'nothing'; readonly reason: string }
  );

/** The low-water mark of each instance: the older of the two limits, where it is newer than what is there. */
export function planCleanup(
  instances: readonly CleanupInstance[],
  { byTime, byConsumer }: CleanupLimits,
): readonly CleanupStep[] {
  return instances.map((instance): CleanupStep => {
    const nothing = (reason: string): CleanupStep => ({ ...instance, step: 'nothing', reason });
    if (byTime === undefined) return nothing('the log has no entry as old as that');
    if (byConsumer && !byConsumer.has(instance.instance)) {
      return nothing('--not-past names no position of this instance, so all is kept');
    }
    const read = byConsumer?.get(instance.instance);
    if (byConsumer && read === undefined) {
      return nothing('its consumer has read nothing that the log still knows');
    }
    const isHeld = read !== undefined && read < byTime;
    const mark = isHeld ? read : byTime;
    if (mark <= instance.startLsn) return nothing('nothing is older than its first change');
    return { ...instance, step: 'clean', mark, limitedBy: isHeld ? 'not-past' : 'days' };
  });
}
