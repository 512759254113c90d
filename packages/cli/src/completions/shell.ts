/** Shells with completion. */
export const SHELLS = ['bash', 'fish', 'zsh'] as const;

export type Shell = (typeof SHELLS)[number];
