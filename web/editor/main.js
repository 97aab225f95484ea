// Starts the page: fetches the program, checks its hash, runs it.
//
// The page itself names this file with `integrity`, and this file names the program with `integrity`, so
// that every byte that runs is one that was built together with index.html.

import init from "stackseal-program";

const boot = document.getElementById("boot");

function failed(text) {
  if (!boot) return;
  boot.textContent = text;
  boot.setAttribute("role", "alert");
}

try {
  await init({ module_or_path: fetch(PROGRAM_URL, { integrity: PROGRAM_INTEGRITY }) });
  boot?.remove();
} catch {
  failed("Stackseal could not start: its program did not arrive whole, or is not the one that this page names. Reload the page; if that does not help, tell whoever runs this server.");
}
