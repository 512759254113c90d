/** Orders names by code unit: the same on every machine, whatever its locale. For `sort`. */
export function compareNames(a: { readonly name: string }, b: { readonly name: string }): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}
