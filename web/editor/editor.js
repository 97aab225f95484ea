// The YAML editor: one CodeMirror view in an open shadow root, one state per open file.
//
// In a shadow root CodeMirror adopts constructed style sheets, so no <style> element is needed and the
// page's policy can forbid inline styles.

import { history, historyKeymap } from "@codemirror/commands";
import { EditorSelection, EditorState } from "@codemirror/state";
import {
  EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, placeholder,
} from "@codemirror/view";

import { folding } from "./cipher.js";
import { editing, moving } from "./keys.js";
import { look } from "./look.js";
import { conceal, isShown, masks, replace, reveal, setMarks } from "./masks.js";
import { yaml } from "./yaml.js";

/** The attributes that keep browsers' and extensions' helpers away from what is typed. */
const PRIVATE = {
  autocomplete: "off",
  autocorrect: "off",
  autocapitalize: "off",
  spellcheck: "false",
  translate: "no",
  writingsuggestions: "false",
  "data-1p-ignore": "",
  "data-gramm": "false",
};

/** Left to itself, the browser keeps the style of overwritten text in a `style` attribute, which the policy forbids. */
const overwriting = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { selection, readOnly } = view.state;
    if (event.inputType !== "insertText" || !event.data || view.composing || selection.main.empty || readOnly) return false;
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    return true;
  },
});

export class Editor {
  /**
   * @param {HTMLElement} host
   * @param {() => void} changed after every change of the text
   * @param {(id: string) => void} copy a value is to be copied
   * @param {(id: string, on: boolean) => void} revealed a value was revealed or hidden
   */
  constructor(host, changed, copy, revealed) {
    this.changed = changed;
    this.actions = { copy, revealed, timer: 0 };
    this.masks = masks(this.actions);
    this.states = new Map();
    this.current = null;
    const root = host.attachShadow({ mode: "open" });
    this.view = new EditorView({ parent: root, root, state: EditorState.create({ extensions: [look, this.masks.extension] }) });
    this.masks.bind(this.view);
    this.onHidden = () => {
      if (document.visibilityState === "hidden") this.hideAll();
    };
    document.addEventListener("visibilitychange", this.onHidden);
  }

  /**
   * Shows a file; its history and cursor are kept from the last time unless the text differs.
   * @param {string} id @param {string} text @param {string} label @param {boolean} readOnly
   * @param {string} marks as for setMarks: a value is masked before it is first shown
   */
  open(id, text, label, readOnly, marks) {
    if (this.current !== null) {
      this.hideAll();
      this.states.set(this.current.id, { state: this.view.state, readOnly: this.current.readOnly, label: this.current.label });
    }
    this.current = { id, readOnly, label };
    const kept = this.states.get(id);
    const same = kept && kept.readOnly === readOnly && kept.label === label && kept.state.sliceDoc() === text;
    const state = same ? kept.state : this.#state(text, label, readOnly);
    this.view.setState(state.update({ effects: setMarks.of(JSON.parse(marks)) }).state);
  }

  /** The text as it is saved, line breaks as they were. */
  text() {
    return this.view.state.sliceDoc();
  }

  /** @param {string} text replaces all of it, undoably */
  setText(text) {
    this.view.dispatch({
      changes: { from: 0, to: this.view.state.doc.length, insert: text },
      userEvent: "input.whole",
      selection: EditorSelection.cursor(0),
    });
  }

  /** @param {string} json `{marks, problems}`, see masks.js */
  setMarks(json) {
    this.view.dispatch({ effects: setMarks.of(JSON.parse(json)) });
  }

  /** @param {string} id */
  toggleReveal(id) {
    if (isShown(this.view, id)) conceal(this.view, id, this.actions);
    else reveal(this.view, id, this.actions);
  }

  hideAll() {
    conceal(this.view, null, this.actions);
  }

  /** @param {string} id */
  replace(id) {
    replace(this.view, id, this.actions);
  }

  /** @param {number} line from 1 */
  goTo(line) {
    const { doc } = this.view.state;
    const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
    this.view.dispatch({ selection: EditorSelection.cursor(at.to), scrollIntoView: true });
    this.view.focus();
  }

  /** Forgets a file's state and history. @param {string} id */
  forget(id) {
    this.states.delete(id);
    if (this.current?.id === id) {
      this.current = null;
      this.view.setState(this.#state("", "", true));
    }
  }

  focus() {
    this.view.focus();
  }

  destroy() {
    clearTimeout(this.actions.timer);
    document.removeEventListener("visibilitychange", this.onHidden);
    this.states.clear();
    this.view.destroy();
  }

  #state(text, label, readOnly) {
    // CodeMirror would make every kind of line break "\n"; bytes that nobody touched must stay.
    const crlf = /\r\n/.test(text) && !/\r(?!\n)|(?<!\r)\n/.test(text);
    return EditorState.create({
      doc: text,
      extensions: [
        EditorState.lineSeparator.of(crlf ? "\r\n" : "\n"),
        EditorState.readOnly.of(readOnly),
        EditorView.contentAttributes.of({
          ...PRIVATE,
          "aria-label": label,
          ...(readOnly ? { "aria-readonly": "true", tabindex: "0" } : {}),
        }),
        lineNumbers(),
        this.masks.extension,
        history(),
        drawSelection(),
        EditorState.tabSize.of(2),
        EditorView.lineWrapping,
        highlightActiveLine(),
        highlightActiveLineGutter(),
        placeholder("Write YAML here, or paste it"),
        yaml,
        look,
        ...(readOnly ? [folding(true)] : []),
        overwriting,
        keymap.of([...editing, ...moving, ...historyKeymap]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) this.changed();
        }),
      ],
    });
  }
}
