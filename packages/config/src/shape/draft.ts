type Scalar = string | number | boolean | null | undefined;

/**
 * A value as far as it is right: what is missing or wrong has been reported, so that the checks behind can go on
 * with the rest. A key or item that stands there and is wrong is undefined; a missing key is absent.
 */
export type Draft<Value> = unknown extends Value
  ? Value
  : Value extends Scalar
    ? Value
    : Value extends readonly (infer Item)[]
      ? readonly (Draft<Item> | undefined)[]
      : { readonly [Key in keyof Value]?: Draft<Value[Key]> | undefined };
