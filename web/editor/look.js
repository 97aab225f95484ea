// How YAML looks: colours come from the page's custom properties, which reach into the shadow root.

import { EditorView } from "@codemirror/view";

export const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", color: "var(--ink)", backgroundColor: "var(--bg-raised)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px", overflow: "auto" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 12px 0 4px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--bg-raised)", color: "var(--ink-quiet)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 4px 0 8px", minWidth: "28px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--bg-active)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection)" },
  ".cm-placeholder": { color: "var(--ink-quiet)" },

  // masks
  ".seal-mask": {
    display: "inline-flex", alignItems: "center", gap: "2px", verticalAlign: "bottom", height: "20px",
    backgroundColor: "var(--bg-sunken)", borderRadius: "4px", color: "var(--ink-quiet)", userSelect: "none",
  },
  ".seal-mask .dots": { padding: "0 4px 0 6px", letterSpacing: "1px", cursor: "default" },
  ".seal-mask button, .seal-after button": {
    all: "unset", display: "inline-grid", placeItems: "center", width: "24px", height: "20px", borderRadius: "4px",
    color: "var(--ink-quiet)", cursor: "pointer",
  },
  ".seal-mask button:hover, .seal-after button:hover": { color: "var(--ink)", backgroundColor: "var(--bg-active)" },
  ".seal-mask button:focus-visible, .seal-after button:focus-visible": { outline: "2px solid var(--focus)" },
  ".seal-after": { display: "inline-flex", verticalAlign: "bottom", height: "20px", marginLeft: "4px", userSelect: "none" },
  ".seal-shown": { backgroundColor: "var(--marked-soft)", borderRadius: "3px" },

  // gutter
  ".seal-gutter": { width: "22px" },
  ".seal-gutter .cm-gutterElement": { display: "grid", placeItems: "center", height: "20px" },
  ".seal-gutter svg": { display: "block" },
  ".seal-marked": { color: "var(--marked)" },
  ".seal-sealed": { color: "var(--sealed)" },
  ".seal-changed": { color: "var(--accent)" },
  ".seal-refused": { color: "var(--danger)" },
  ".seal-bad-line": { backgroundColor: "var(--del)" },

  // what Git holds
  ".git-cipher": { color: "var(--ink-quiet)" },
  ".git-fold": { color: "var(--sealed)" },
  ".git-add": { backgroundColor: "var(--add)" },
  ".git-del": { backgroundColor: "var(--del)" },
  ".git-gap": { color: "var(--ink-quiet)", backgroundColor: "var(--bg-sunken)" },
  ".git-numbers": { minWidth: "64px", textAlign: "right", paddingRight: "8px" },
});
