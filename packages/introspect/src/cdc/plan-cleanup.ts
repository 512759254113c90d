import type { Lsn } from './lsn.ts';

/** A capture instance of a table. */
export interface CleanupInstance {
  readonly instance: string;
  readonly schema: string;
  readonly table: string;
  /** Table in the schema `cdc` that contains the changes of the instance. */
  readonly changeTable: string;
  readonly startLsn: Lsn;
}

/** Limits of the cleanup. Both are entries of `cdc.lsn_time_mapping`. */
export interface CleanupLimits {
  /** The last entry that is old enough, undefined if there is none. */
  readonly byTime: Lsn | undefined;
  /** By instance: the last entry that its slowest consumer has read, undefined if there is none. */
  readonly byConsumer?: ReadonlyMap<string, Lsn | undefined>;
}

/** Plan for one instance, with the reason if nothing is cleaned. */
export type CleanupStep = CleanupInstance &
  (
    | { readonly step: 'clean'; readonly mark: Lsn; readonly limitedBy: 'days' | 'not-past' }
    | { readonly step: 'nothing'; readonly reason: string }
  );

/**
 * Plans the new low-water mark of each instance. The new mark is the older of the two limits, if that limit is newer
 * than the current mark.
 */
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
