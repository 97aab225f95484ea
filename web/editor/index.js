// What the program imports: the two views.

export { Editor } from "./editor.js";
export { GitView } from "./git-view.js";
