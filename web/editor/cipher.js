// Ciphertext, set quietly or folded away, so that the eye finds the lines that people wrote.

import { Facet, StateField } from "@codemirror/state";
import { Decoration, EditorView, WidgetType } from "@codemirror/view";

const CIPHERTEXT = /ENC\[AES256_GCM,[^\]]*\]|-----BEGIN AGE ENCRYPTED FILE-----[\s\S]*?-----END AGE ENCRYPTED FILE-----/g;
/** In a difference a wrapped key may be cut: then its lines are told one by one. */
const WRAPPED_LINE = /^[-+ ] +(?:[A-Za-z0-9+/=]{40,64}|-----(?:BEGIN|END) AGE ENCRYPTED FILE-----)$/gm;

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
  const text = state.doc.toString();
  for (const match of text.matchAll(CIPHERTEXT)) {
    const kind = fold ? (match[0].startsWith("ENC") ? value : wrapped) : quiet;
    ranges.push(kind.range(match.index, match.index + match[0].length));
  }
  for (const match of text.matchAll(WRAPPED_LINE)) {
    ranges.push(quiet.range(match.index + 1, match.index + match[0].length));
  }
  return Decoration.set(ranges, true);
}

const ciphertext = StateField.define({
  create: build,
  update: (decorations, transaction) =>
    transaction.docChanged || transaction.reconfigured ? build(transaction.state) : decorations,
  provide: (self) => EditorView.decorations.from(self),
});

/** @param {boolean} on fold, or only set quietly */
export const folding = (on) => [folded.of(on), ciphertext];
