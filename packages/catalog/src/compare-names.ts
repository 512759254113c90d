/** Compares names by code unit, for `sort`. The order is the same on every machine and in every locale. */
export function compareNames(a: { readonly name: string }, b: { readonly name: string }): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}
