// Ciphertext, set quietly or folded away, so that the eye finds the lines that people wrote.

import { Facet, StateField } from "@codemirror/state";
import { Decoration, EditorView, WidgetType } from "@codemirror/view";

const CIPHERTEXT = /ENC\[AES256_GCM,[^\]]*\]|-----BEGIN AGE ENCRYPTED FILE-----[\s\S]*?-----END AGE ENCRYPTED FILE-----/g;

class Fold extends WidgetType {
  constructor(text, title) {
    super();
    this.text = text;
    this.title = title;
  }
  eq(other) {
    return other.text === this.text;
  }
  toDOM() {
    const box = document.createElement("span");
    box.className = "git-fold";
    box.textContent = this.text;
    box.title = this.title;
    return box;
  }
}

const quiet = Decoration.mark({ class: "git-cipher" });
const value = Decoration.replace({ widget: new Fold("ENC[…]", "A sealed value") });
const wrapped = Decoration.replace({ widget: new Fold("age[…]", "The data key, wrapped for the recipient above") });

/** Whether a state folds its ciphertext. */
const folded = Facet.define({ combine: (values) => values.some(Boolean) });

function build(state) {
  const fold = state.facet(folded);
  const ranges = [];
  for (const match of state.doc.toString().matchAll(CIPHERTEXT)) {
    const kind = fold ? (match[0].startsWith("ENC") ? value : wrapped) : quiet;
    ranges.push(kind.range(match.index, match.index + match[0].length));
  }
  return Decoration.set(ranges);
}

const ciphertext = StateField.define({
  create: build,
  update: (decorations, transaction) =>
    transaction.docChanged || transaction.reconfigured ? build(transaction.state) : decorations,
  provide: (self) => EditorView.decorations.from(self),
});

/** @param {boolean} on fold, or only set quietly */
export const folding = (on) => [folded.of(on), ciphertext];
