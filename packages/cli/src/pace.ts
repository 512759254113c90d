/** Describes how fast work goes and when it is likely to end: `40 files/s, about 12 s left`. */
export type DescribePace = (done: number, total: number, noun: string) => string;

/** Time before which nothing is known of the pace, and shortest time that is worth a forecast. */
const SETTLE_MS = 2000;

/** Starts to measure work. The description is empty until the pace is known. */
export function startPace(now: () => number = () => performance.now()): DescribePace {
  const startedAt = now();
  return (done, total, noun) => {
    const elapsedMs = now() - startedAt;
    if (elapsedMs < SETTLE_MS || done === 0) return '';
    const perSecond = (done * 1000) / elapsedMs;
    const rate = `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)} ${noun}/s`;
    const leftMs = ((total - done) * elapsedMs) / done;
    return leftMs < SETTLE_MS ? rate : `${rate}, about ${describeTime(leftMs)} left`;
  };
}

/** Describes a time to two digits or so: `45 s`, `12 min`, `3 h 20 min`. */
function describeTime(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
