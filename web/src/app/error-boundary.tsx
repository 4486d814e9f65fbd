import { Component, type ComponentChildren } from "preact";
import { appWords } from "./words.ts";

interface Props {
  /** A change of this gives the children another chance: the address, for one. */
  readonly resetKey: string;
  readonly children: ComponentChildren;
}

interface State {
  readonly brokenAt: string | null;
}

/** Keeps a bug in one view from leaving a blank page. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { brokenAt: null };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ brokenAt: this.props.resetKey });
  }

  override render() {
    if (this.state.brokenAt !== this.props.resetKey) return this.props.children;
    const words = appWords.value;
    return (
      <main class="failure">
        <h1 tabIndex={-1}>{words.broken}</h1>
        <p>{words.brokenHelp}</p>
        <button type="button" class="button button-primary" onClick={() => location.reload()}>
          {words.reload}
        </button>
      </main>
    );
  }
}
