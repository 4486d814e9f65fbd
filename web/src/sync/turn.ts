/** Ends the present task, so that the browser can draw and answer before what follows. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
