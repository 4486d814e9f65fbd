/** Who is in which room. Empty rooms do not exist. */
export class Rooms<T> {
  readonly #members = new Map<string, Set<T>>();

  add(room: string, member: T): void {
    const members = this.#members.get(room);
    if (members === undefined) this.#members.set(room, new Set([member]));
    else members.add(member);
  }

  remove(room: string, member: T): void {
    const members = this.#members.get(room);
    if (members === undefined) return;
    members.delete(member);
    if (members.size === 0) this.#members.delete(room);
  }

  in(room: string): Iterable<T> {
    return this.#members.get(room) ?? [];
  }
}
