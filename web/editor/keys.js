// The keys of the editor: those of every text field of the platform, and a few for code.
//
// CodeMirror's default list would bring its language machinery along.

import {
  copyLineDown, copyLineUp, cursorCharLeft, cursorCharRight, cursorDocEnd, cursorDocStart, cursorGroupLeft,
  cursorGroupRight, cursorLineBoundaryBackward, cursorLineBoundaryForward, cursorLineBoundaryLeft,
  cursorLineBoundaryRight, cursorLineDown, cursorLineUp, cursorPageDown, cursorPageUp, deleteGroupBackward,
  deleteGroupForward, deleteLine, deleteLineBoundaryBackward, deleteLineBoundaryForward, moveLineDown, moveLineUp,
  selectAll, selectCharLeft, selectCharRight, selectDocEnd, selectDocStart, selectGroupLeft, selectGroupRight,
  selectLineBoundaryBackward, selectLineBoundaryForward, selectLineBoundaryLeft, selectLineBoundaryRight,
  selectLineDown, selectLineUp, selectPageDown, selectPageUp, toggleLineComment,
} from "@codemirror/commands";
import { EditorSelection, findClusterBreak } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

import { newline } from "./yaml.js";

/** Deletes the selection, or the character beside the cursor; a masked value is one character. */
const deleteChar = (forward) => (view) => {
  const { state } = view;
  if (state.readOnly) return false;
  const change = state.changeByRange((range) => {
    let { from, to } = range;
    if (range.empty) {
      const line = state.doc.lineAt(from);
      const edge = forward ? line.to : line.from;
      const beyond = Math.min(Math.max(from + (forward ? 1 : -1), 0), state.doc.length);
      const other = from === edge ? beyond : line.from + findClusterBreak(line.text, from - line.from, forward);
      [from, to] = [Math.min(from, other), Math.max(from, other)];
      for (const atoms of state.facet(EditorView.atomicRanges)) {
        atoms(view).between(from, to, (start, end) => {
          if (start < to && end > from) [from, to] = [Math.min(from, start), Math.max(to, end)];
        });
      }
    }
    return from === to ? { range } : { changes: { from, to }, range: EditorSelection.cursor(from) };
  });
  if (change.changes.empty) return false;
  view.dispatch(change, { userEvent: `delete.${forward ? "forward" : "backward"}`, scrollIntoView: true });
  return true;
};

/** Moves the selected lines two columns in or out. */
const indent = (deeper) => (view) => {
  const { state } = view;
  if (state.readOnly) return false;
  const changes = [];
  for (const { from, to } of state.selection.ranges) {
    for (let { number } = state.doc.lineAt(from), last = state.doc.lineAt(to).number; number <= last; number += 1) {
      const line = state.doc.line(number);
      if (deeper && line.length > 0) changes.push({ from: line.from, insert: "  " });
      if (!deeper) changes.push({ from: line.from, to: line.from + /^ {0,2}/.exec(line.text)[0].length });
    }
  }
  view.dispatch({ changes, userEvent: deeper ? "input.indent" : "delete.dedent" });
  return true;
};

const preventDefault = true;

/** To move and select. */
export const moving = [
  { key: "ArrowLeft", run: cursorCharLeft, shift: selectCharLeft, preventDefault },
  { key: "Mod-ArrowLeft", mac: "Alt-ArrowLeft", run: cursorGroupLeft, shift: selectGroupLeft, preventDefault },
  { mac: "Cmd-ArrowLeft", run: cursorLineBoundaryLeft, shift: selectLineBoundaryLeft, preventDefault },
  { key: "ArrowRight", run: cursorCharRight, shift: selectCharRight, preventDefault },
  { key: "Mod-ArrowRight", mac: "Alt-ArrowRight", run: cursorGroupRight, shift: selectGroupRight, preventDefault },
  { mac: "Cmd-ArrowRight", run: cursorLineBoundaryRight, shift: selectLineBoundaryRight, preventDefault },
  { key: "ArrowUp", run: cursorLineUp, shift: selectLineUp, preventDefault },
  { mac: "Cmd-ArrowUp", run: cursorDocStart, shift: selectDocStart },
  { key: "ArrowDown", run: cursorLineDown, shift: selectLineDown, preventDefault },
  { mac: "Cmd-ArrowDown", run: cursorDocEnd, shift: selectDocEnd },
  { key: "PageUp", run: cursorPageUp, shift: selectPageUp },
  { key: "PageDown", run: cursorPageDown, shift: selectPageDown },
  { key: "Home", run: cursorLineBoundaryBackward, shift: selectLineBoundaryBackward, preventDefault },
  { key: "Mod-Home", run: cursorDocStart, shift: selectDocStart },
  { key: "End", run: cursorLineBoundaryForward, shift: selectLineBoundaryForward, preventDefault },
  { key: "Mod-End", run: cursorDocEnd, shift: selectDocEnd },
  { key: "Mod-a", run: selectAll },
];

/** To change the text. */
export const editing = [
  { key: "Enter", run: newline, shift: newline },
  { key: "Backspace", run: deleteChar(false), shift: deleteChar(false), preventDefault },
  { key: "Delete", run: deleteChar(true), preventDefault },
  { key: "Mod-Backspace", mac: "Alt-Backspace", run: deleteGroupBackward, preventDefault },
  { key: "Mod-Delete", mac: "Alt-Delete", run: deleteGroupForward, preventDefault },
  { mac: "Mod-Backspace", run: deleteLineBoundaryBackward, preventDefault },
  { mac: "Mod-Delete", run: deleteLineBoundaryForward, preventDefault },
  { key: "Alt-ArrowUp", run: moveLineUp },
  { key: "Shift-Alt-ArrowUp", run: copyLineUp },
  { key: "Alt-ArrowDown", run: moveLineDown },
  { key: "Shift-Alt-ArrowDown", run: copyLineDown },
  { key: "Mod-[", run: indent(false) },
  { key: "Mod-]", run: indent(true) },
  { key: "Shift-Mod-k", run: deleteLine },
  { key: "Mod-/", run: toggleLineComment },
];
