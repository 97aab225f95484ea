// Marked values: masked by default, one at a time revealed, shown while they are being typed.
//
// A masked value is replaced in the view, so it is in no node and no attribute of the document.
// Where the marks lie is decided by the codec; between two answers the ranges move with the edits.

import { EditorSelection, Prec, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, GutterMarker, WidgetType, gutter, keymap } from "@codemirror/view";

import { icon } from "./icons.js";

/** A reveal hides itself after this long. */
const REVEAL_MS = 30_000;

/**
 * @typedef {{id: string, path: string, from: number, to: number, kind: "marked"|"sealed"|"changed"|"refused",
 *   mask: boolean, tip: string}} Mark
 * @typedef {{line: number, tip: string}} Problem a line that the codec refuses
 */

/** @type {import("@codemirror/state").StateEffectType<{keep: boolean, marks: Mark[], problems: Problem[]}>} */
export const setMarks = StateEffect.define();
const show = StateEffect.define();
const hide = StateEffect.define();
const doneTyping = StateEffect.define();

class Mask extends WidgetType {
  constructor(mark, actions) {
    super();
    this.mark = mark;
    this.actions = actions;
  }
  eq(other) {
    return other.mark.id === this.mark.id;
  }
  toDOM(view) {
    const box = document.createElement("span");
    box.className = "seal-mask";
    box.draggable = false;
    const dots = document.createElement("span");
    dots.className = "dots";
    dots.textContent = "••••••••";
    box.append(
      dots,
      button("reveal", `Reveal ${this.mark.path}`, () => reveal(view, this.mark.id, this.actions), false),
      button("copy", `Copy ${this.mark.path}`, () => this.actions.copy(this.mark.id), null),
      button("replace", `Replace ${this.mark.path}`, () => replace(view, this.mark.id, this.actions), null),
    );
    return box;
  }
  ignoreEvent() {
    return true;
  }
}

class Shown extends WidgetType {
  constructor(mark, actions) {
    super();
    this.mark = mark;
    this.actions = actions;
  }
  eq(other) {
    return other.mark.id === this.mark.id;
  }
  toDOM(view) {
    const box = document.createElement("span");
    box.className = "seal-after";
    box.append(button("reveal", `Reveal ${this.mark.path}`, () => conceal(view, this.mark.id, this.actions), true));
    return box;
  }
  ignoreEvent() {
    return true;
  }
}

function button(name, label, act, pressed) {
  const node = document.createElement("button");
  node.type = "button";
  node.title = label;
  node.setAttribute("aria-label", label);
  if (pressed === null) node.tabIndex = -1;
  else node.setAttribute("aria-pressed", String(pressed));
  node.append(icon(name));
  // keeps the cursor where it is
  node.addEventListener("mousedown", (event) => event.preventDefault());
  node.addEventListener("click", act);
  return node;
}

class LineGlyph extends GutterMarker {
  constructor(kind, tip) {
    super();
    this.kind = kind;
    this.tip = tip;
  }
  eq(other) {
    return other.kind === this.kind && other.tip === this.tip;
  }
  toDOM() {
    const box = document.createElement("span");
    box.className = `seal-${this.kind}`;
    box.title = this.tip;
    box.append(icon({ marked: "open", sealed: "locked" }[this.kind] ?? this.kind));
    return box;
  }
}

const markAt = (marks, position) => marks.find((mark) => mark.from <= position && position <= mark.to);

function field(actions) {
  return StateField.define({
    create: () => derive({ marks: [], problems: [], shown: new Set(), typing: false }, null, actions),
    update(value, transaction) {
      let { marks, problems, shown, typing } = value;
      const before = markAt(marks, transaction.startState.selection.main.head);
      if (transaction.docChanged) {
        // what is typed at an edge of a value belongs to it
        marks = marks.map((mark) => ({
          ...mark,
          from: transaction.changes.mapPos(mark.from, -1),
          to: transaction.changes.mapPos(mark.to, 1),
        }));
        typing = ["input", "delete", "move", "undo", "redo"].some((event) => transaction.isUserEvent(event));
      }
      for (const effect of transaction.effects) {
        if (effect.is(setMarks)) {
          problems = effect.value.problems;
          // while the text is broken, what was masked stays masked where it moved to
          if (!effect.value.keep) marks = effect.value.marks;
          const known = new Set(marks.map((mark) => mark.id));
          shown = new Set([...shown].filter((id) => known.has(id)));
        } else if (effect.is(show)) {
          shown = new Set(shown).add(effect.value);
        } else if (effect.is(hide)) {
          shown = new Set([...shown].filter((id) => effect.value !== null && id !== effect.value));
          typing = false;
        } else if (effect.is(doneTyping)) {
          typing = false;
        }
      }
      if (transaction.selection && !transaction.docChanged) {
        typing &&= before !== undefined && markAt(marks, transaction.newSelection.main.head)?.id === before.id;
      }
      const unchanged = marks === value.marks && problems === value.problems && shown === value.shown && typing === value.typing;
      if (unchanged && !transaction.docChanged && !transaction.selection) return value;
      return derive({ marks, problems, shown, typing }, transaction.state, actions);
    },
    provide: (self) => [
      EditorView.decorations.from(self, (value) => value.decorations),
      EditorView.atomicRanges.of((view) => view.state.field(self).hidden),
      gutter({
        class: "seal-gutter",
        markers: (view) => view.state.field(self).glyphs,
        initialSpacer: () => new LineGlyph("sealed", ""),
      }),
    ],
  });
}

function derive(value, state, actions) {
  const decorations = [];
  const hidden = new RangeSetBuilder();
  const lines = new Map();
  if (state) {
    const { doc } = state;
    const head = state.selection.main.head;
    const marks = [...value.marks].sort((a, b) => a.from - b.from || a.to - b.to);
    let end = -1;
    for (const mark of marks) {
      if (mark.to > doc.length) continue;
      lines.set(doc.lineAt(mark.from).from, new LineGlyph(mark.kind, mark.tip));
      if (!mark.mask || mark.from === mark.to || mark.from < end) continue;
      end = mark.to;
      const typed = value.typing && mark.from <= head && head <= mark.to;
      if (value.shown.has(mark.id)) {
        decorations.push(Decoration.mark({ class: "seal-shown" }).range(mark.from, mark.to));
        decorations.push(Decoration.widget({ widget: new Shown(mark, actions), side: 1 }).range(mark.to));
      } else if (typed) {
        decorations.push(Decoration.mark({ class: "seal-shown" }).range(mark.from, mark.to));
      } else {
        const masked = Decoration.replace({ widget: new Mask(mark, actions) });
        decorations.push(masked.range(mark.from, mark.to));
        hidden.add(mark.from, mark.to, masked);
      }
    }
    for (const problem of value.problems) {
      if (problem.line < 1 || problem.line > doc.lines) continue;
      const { from } = doc.line(problem.line);
      lines.set(from, new LineGlyph("refused", problem.tip));
      decorations.push(Decoration.line({ class: "seal-bad-line" }).range(from));
    }
  }
  const glyphs = new RangeSetBuilder();
  for (const [from, glyph] of [...lines].sort(([a], [b]) => a - b)) glyphs.add(from, from, glyph);
  return { ...value, decorations: Decoration.set(decorations, true), hidden: hidden.finish(), glyphs: glyphs.finish() };
}

const fields = new WeakMap();
const marksOf = (view) => view.state.field(fields.get(view));
const byId = (view, id) => marksOf(view).marks.find((mark) => mark.id === id);

/** Shows one value and hides all others. */
export function reveal(view, id, actions) {
  if (!byId(view, id)) return;
  conceal(view, null, actions);
  view.dispatch({ effects: show.of(id) });
  actions.revealed(id, true);
  clearTimeout(actions.timer);
  actions.timer = setTimeout(() => conceal(view, id, actions), REVEAL_MS);
}

/** Hides one value, or with `null` all of them. */
export function conceal(view, id, actions) {
  const { shown, typing } = marksOf(view);
  if (shown.size === 0 && !typing) return;
  view.dispatch({ effects: hide.of(id) });
  for (const each of shown) if (id === null || id === each) actions.revealed(each, false);
}

export const isShown = (view, id) => marksOf(view).shown.has(id);

/** Numbers, words and times that quotes would turn into text. */
const TYPED = /^([-+.]?\d[\w.:+-]*|true|false|null|~|[-+]?\.(inf|nan))$/i;

/** Empties a value, leaving quotes for a text, and puts the cursor where the new one is to be typed. */
export function replace(view, id, actions) {
  const mark = byId(view, id);
  if (!mark || view.state.readOnly) return;
  conceal(view, null, actions);
  const quote = view.state.sliceDoc(mark.from, mark.from + 1);
  const text = view.state.sliceDoc(mark.from, mark.to);
  // a text without quotes would lose what follows ` #`, in clear, and break at `: `
  const fitting = quote === '"' || quote === "'" ? quote : TYPED.test(text) ? "" : "'";
  const insert = fitting + fitting;
  view.dispatch({
    changes: { from: mark.from, to: mark.to, insert },
    selection: EditorSelection.cursor(mark.from + insert.length / 2),
    userEvent: "delete.replace",
    scrollIntoView: true,
  });
  view.focus();
}

function atCursor(view) {
  const { marks } = marksOf(view);
  const { head } = view.state.selection.main;
  const line = view.state.doc.lineAt(head);
  return markAt(marks, head) ?? marks.find((mark) => mark.from >= line.from && mark.from <= line.to);
}

/** Enter between the quotes of a value ends typing it: a line break there would become part of it, unseen. */
function leaveQuotes(view) {
  const mark = markAt(marksOf(view).marks, view.state.selection.main.head);
  if (!mark?.mask || view.state.readOnly) return false;
  const { head } = view.state.selection.main;
  const text = view.state.sliceDoc(mark.from, mark.to);
  if (head === mark.from || head === mark.to || !/^(['"]).*\1$/.test(text)) return false;
  view.dispatch({ selection: EditorSelection.cursor(view.state.doc.lineAt(mark.to).to), effects: doneTyping.of(null) });
  return true;
}

/**
 * @param {{copy: (id: string) => void, revealed: (id: string, on: boolean) => void}} actions
 */
export function masks(actions) {
  const self = field(actions);
  const withMark = (act) => (view) => {
    const mark = atCursor(view);
    if (mark) act(view, mark.id);
    return mark !== undefined;
  };
  return {
    /** Ties the view to its marks; to be called once, after the view was made. */
    bind: (view) => fields.set(view, self),
    extension: [
      self,
      Prec.high(keymap.of([{ key: "Enter", run: leaveQuotes }])),
      keymap.of([
        { key: "Alt-r", run: withMark((view, id) => (isShown(view, id) ? conceal(view, id, actions) : reveal(view, id, actions))) },
        { key: "Alt-c", run: withMark((_view, id) => actions.copy(id)) },
      ]),
      EditorView.domEventHandlers({
        // what was being typed is masked as soon as the keys go elsewhere
        blur(_event, view) {
          if (view.state.field(self).typing) setTimeout(() => view.dispatch({ effects: doneTyping.of(null) }));
        },
        // what is dragged would carry the values under the masks
        dragstart(event, view) {
          const { hidden } = view.state.field(self);
          let covers = false;
          for (const range of view.state.selection.ranges) {
            hidden.between(range.from, range.to, () => {
              covers = true;
              return false;
            });
          }
          if (covers) event.preventDefault();
          return covers;
        },
      }),
    ],
  };
}
