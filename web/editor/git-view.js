// The read-only view of what Git holds or will hold: the sealed text, or the difference to it.

import { Compartment, EditorState, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, GutterMarker, drawSelection, gutter, keymap, lineNumbers } from "@codemirror/view";

import { folding } from "./cipher.js";
import { moving } from "./keys.js";
import { look } from "./look.js";
import { yaml } from "./yaml.js";

const setRows = StateEffect.define();

class Numbers extends GutterMarker {
  constructor(text) {
    super();
    this.text = text;
  }
  eq(other) {
    return other.text === this.text;
  }
  toDOM() {
    return document.createTextNode(this.text);
  }
}

const CLASS = { "+": "git-add", "-": "git-del", "@": "git-gap" };

/** Rows of a difference: sign and line numbers, one per line of the document. */
const rows = StateField.define({
  create: () => ({ lines: Decoration.none, numbers: Decoration.none }),
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setRows)) continue;
      const lines = new RangeSetBuilder();
      const numbers = new RangeSetBuilder();
      effect.value.forEach((row, index) => {
        const { from } = transaction.state.doc.line(index + 1);
        if (CLASS[row.sign]) lines.add(from, from, Decoration.line({ class: CLASS[row.sign] }));
        const pair = [row.old, row.new].map((n) => (n ? String(n) : " ").padStart(3)).join(" ");
        numbers.add(from, from, new Numbers(row.sign === "@" ? "⋯" : pair));
      });
      return { lines: lines.finish(), numbers: numbers.finish() };
    }
    return value;
  },
  provide: (self) => [
    EditorView.decorations.from(self, (value) => value.lines),
    gutter({ class: "git-numbers", markers: (view) => view.state.field(self).numbers }),
  ],
});

/** Where a long line goes on in the next row, that row is indented. */
const hanging = EditorView.theme({ ".cm-line": { paddingLeft: "calc(4px + 4ch)", textIndent: "-4ch" } });

export class GitView {
  /** @param {HTMLElement} host @param {string} label */
  constructor(host, label) {
    const root = host.attachShadow({ mode: "open" });
    this.fold = new Compartment();
    this.kind = new Compartment();
    this.folded = true;
    this.shape = "";
    this.view = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        extensions: [
          EditorState.lineSeparator.of("\n"),
          EditorState.readOnly.of(true),
          EditorView.contentAttributes.of({ "aria-label": label, "aria-readonly": "true", tabindex: "0", translate: "no", spellcheck: "false" }),
          EditorView.editable.of(false),
          EditorView.lineWrapping,
          drawSelection(),
          keymap.of(moving),
          hanging,
          look,
          this.fold.of(folding(true)),
          this.kind.of([]),
        ],
      }),
    });
  }

  /** @param {string} text the very bytes */
  setText(text) {
    this.#shape("text", [lineNumbers(), yaml]);
    this.#replace(text, []);
  }

  /** @param {string} json `[{sign, old, new, text}]` */
  setDiff(json) {
    const list = JSON.parse(json);
    this.#shape("diff", [rows]);
    const text = list.map((row) => (row.sign === "@" ? row.text : `${row.sign} ${row.text}`)).join("\n");
    this.#replace(text, [setRows.of(list)]);
  }

  /** @param {boolean} on */
  setFold(on) {
    if (on === this.folded) return;
    this.folded = on;
    this.view.dispatch({ effects: this.fold.reconfigure(folding(on)) });
  }

  destroy() {
    this.view.destroy();
  }

  #shape(name, extension) {
    if (name === this.shape) return;
    this.shape = name;
    this.view.dispatch({
      changes: { from: 0, to: this.view.state.doc.length },
      effects: this.kind.reconfigure(extension),
    });
  }

  /** Changes only the part that differs, so that the view keeps its place. */
  #replace(text, effects) {
    const old = this.view.state.doc.toString();
    let from = 0;
    while (from < old.length && from < text.length && old[from] === text[from]) from += 1;
    let end = 0;
    const room = Math.min(old.length, text.length) - from;
    while (end < room && old[old.length - 1 - end] === text[text.length - 1 - end]) end += 1;
    this.view.dispatch({
      changes: { from, to: old.length - end, insert: text.slice(from, text.length - end) },
      effects,
    });
  }
}
