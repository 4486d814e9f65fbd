/**
 * A failure that the person at the keyboard can do something about: the message is one complete line that says what to do.
 * Commands print it alone; every other error is a bug and keeps its stack trace.
 */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
}
