// Ciphertext, set quietly or folded away, so that the eye finds the lines that people wrote.

import { Facet, StateField } from "@codemirror/state";
import { Decoration, EditorView, WidgetType } from "@codemirror/view";

const VALUE = /ENC\[AES256_GCM,[^\]]*\]/g;
const EDGE = "-----(?:BEGIN|END) AGE ENCRYPTED FILE-----";
const LINE = `(?:[A-Za-z0-9+/=]{1,64}|${EDGE})`;
/** Lines of a wrapped key. A difference shows one or both of its edges, and its lines may have a sign. */
const WRAPPED = new RegExp(`^(([-+ ]) +)${LINE}(?:\\n\\2 +${LINE})*$`, "gm");
const HAS_EDGE = new RegExp(EDGE);

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
  const add = (kind, from, to) => ranges.push((fold ? kind : quiet).range(from, to));
  for (const match of text.matchAll(VALUE)) {
    add(value, match.index, match.index + match[0].length);
  }
  for (const match of text.matchAll(WRAPPED)) {
    if (HAS_EDGE.test(match[0])) add(wrapped, match.index + match[1].length, match.index + match[0].length);
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
