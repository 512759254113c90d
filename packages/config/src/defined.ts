type Defined<Value> = {
  [Key in keyof Value as undefined extends Value[Key] ? never : Key]: Value[Key];
} & {
  [Key in keyof Value as undefined extends Value[Key] ? Key : never]?: Exclude<
    Value[Key],
    undefined
  >;
};

/** Returns the object without keys whose value is undefined. */
export function defined<Value extends object>(value: Value): Defined<Value> {
  const filled: Record<string, unknown> = {};
  for (const key in value) if (value[key] !== undefined) filled[key] = value[key];
  return filled as Defined<Value>;
}
