/** Stages of `generate --only`, in order. */
export const STAGES = [
  'table-defs',
  'schemas',
  'infrastructure',
  'tables',
  'staging',
  'migrations',
] as const;

export type Stage = (typeof STAGES)[number];
