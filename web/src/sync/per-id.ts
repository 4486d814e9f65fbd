/** One value for each id, made when first asked for and the same ever after. */
export function perId<Id, Value>(make: (id: Id) => Value): (id: Id) => Value {
  const made = new Map<Id, Value>();
  return (id) => {
    const known = made.get(id);
    if (known !== undefined) return known;
    const value = make(id);
    made.set(id, value);
    return value;
  };
}
