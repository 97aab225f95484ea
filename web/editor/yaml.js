// What the editor knows of YAML: colours, and where the next line begins.
//
// Reading YAML is the codec's work. This looks at one line at a time, plus whether it lies in a block scalar,
// which is enough for colours and a fifth of the size of a grammar.

import { EditorSelection, EditorState, RangeSetBuilder } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin } from "@codemirror/view";

const KEY = /^(?:"(?:\\.|[^"\\])*"|'(?:''|[^'])*'|[^\s"'#&*!|>%@`[\]{},-][^#]*?|-[^\s#][^#]*?)(?=\s*:(?:\s|$))/;
const BLOCK_HEADER = /(?:^|[\s:-])(?:[&!]\S+\s+)*[|>](?:[-+]?[1-9]?|[1-9][-+])\s*(?:\s#.*)?$/;
const COMMENT = /(?:^|\s)#.*$/;

const marks = Object.fromEntries(
  ["key", "comment", "meta", "punctuation"].map((name) => [name, Decoration.mark({ class: `yaml-${name}` })]),
);

/**
 * @param {string} text one line that is not inside a block scalar
 * @param {(from: number, to: number, kind: keyof typeof marks) => void} add in order
 */
function colour(text, add) {
  if (/^(?:---|\.\.\.)(?:\s|$)|^%/.test(text)) return add(0, text.length, "meta");
  let at = /^\s*/.exec(text)[0].length;
  for (let dash = /^-(?=\s|$)\s*/.exec(text.slice(at)); dash; dash = /^-(?=\s|$)\s*/.exec(text.slice(at))) {
    add(at, at + 1, "punctuation");
    at += dash[0].length;
  }
  const key = KEY.exec(text.slice(at));
  if (key) {
    add(at, at + key[0].length, "key");
    const colon = text.indexOf(":", at + key[0].length);
    add(colon, colon + 1, "punctuation");
    at = colon + 1;
    at += /^\s*/.exec(text.slice(at))[0].length;
  }
  const properties = /^(?:[&!]\S*\s*)+|^\*\S+/.exec(text.slice(at));
  if (properties) {
    add(at, at + properties[0].length, "meta");
    at += properties[0].length;
  }
  const header = /^[|>][-+1-9]*/.exec(text.slice(at));
  if (header) add(at, (at += header[0].length), "meta");
  const quoted = /^(?:"(?:\\.|[^"\\])*"|'(?:''|[^'])*')/.exec(text.slice(at));
  if (quoted) at += quoted[0].length;
  const comment = COMMENT.exec(text.slice(at));
  if (comment) add(at + comment.index, text.length, "comment");
}

const indentOf = (text) => (/\S/.test(text) ? /^ */.exec(text)[0].length : Infinity);

function decorate(view) {
  const builder = new RangeSetBuilder();
  const { doc } = view.state;
  // the indentation that a block scalar's lines lie behind, or -1 outside of one
  let block = -1;
  let next = 1;
  for (const { from, to } of view.visibleRanges) {
    const last = doc.lineAt(to).number;
    const shown = doc.lineAt(from).number;
    for (const text of doc.iterLines(next, last + 1)) {
      const inside = block >= 0 && indentOf(text) > block;
      if (!inside) {
        block = BLOCK_HEADER.test(text) && !/^\s*#/.test(text) ? indentOf(text) : -1;
        if (next >= shown) {
          const start = doc.line(next).from;
          colour(text, (a, b, kind) => builder.add(start + a, start + b, marks[kind]));
        }
      }
      next += 1;
    }
  }
  return builder.finish();
}

const colours = ViewPlugin.define(
  (view) => ({
    decorations: decorate(view),
    update(update) {
      if (update.docChanged || update.viewportChanged) this.decorations = decorate(update.view);
    },
  }),
  { decorations: (plugin) => plugin.decorations },
);

/** Begins a line where the one before leads to: deeper behind a key without a value, beside the keys of a list item. */
export function newline(view) {
  const { state } = view;
  if (state.readOnly) return false;
  view.dispatch(
    state.changeByRange((range) => {
      const line = state.doc.lineAt(range.from);
      const before = line.text.slice(0, range.from - line.from);
      const [, space, dashes] = /^(\s*)((?:- +)*)/.exec(before);
      const rest = before.slice(space.length + dashes.length).replace(COMMENT, "");
      const inItem = KEY.test(rest) ? " ".repeat(dashes.length) : "";
      const deeper = /:\s*$/.test(rest) || BLOCK_HEADER.test(before) ? "  " : "";
      const insert = state.lineBreak + space + inItem + deeper;
      return {
        changes: { from: range.from, to: range.to, insert },
        range: EditorSelection.cursor(range.from + 1 + insert.length - state.lineBreak.length),
      };
    }),
    { scrollIntoView: true, userEvent: "input.type" },
  );
  return true;
}

export const yaml = [
  colours,
  EditorState.languageData.of(() => [{ commentTokens: { line: "#" } }]),
  EditorView.theme({
    ".yaml-key": { color: "var(--syntax-key)" },
    ".yaml-comment": { color: "var(--ink-quiet)", fontStyle: "italic" },
    ".yaml-meta": { color: "var(--syntax-meta)" },
    ".yaml-punctuation": { color: "var(--ink-quiet)" },
  }),
];
