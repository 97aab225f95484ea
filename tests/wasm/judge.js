// Asks the codec as WebAssembly, and judges what it answers. The same in Node and in a browser.

/**
 * @param {BufferSource} program
 * @param {{initSync: Function, answer: (question: string) => string}} glue wasm-bindgen's module for it
 * @param {import("./questions.js").Asked[]} asked
 * @returns {Promise<{digests: string[], sealed: string[], wrong: string[]}>} what was answered, what was sealed with
 *   random numbers, and what is wrong with which answer
 */
export async function ask(program, glue, asked) {
  glue.initSync({ module: program });
  const digests = [], sealed = [], wrong = [];
  for (const { name, question, expected } of asked) {
    const text = glue.answer(JSON.stringify(question));
    const answer = JSON.parse(text);
    const fault = await judge(answer, expected);
    if (fault) wrong.push(`${name}: ${fault}`);
    digests.push(await digest(new TextEncoder().encode(text)));
    if (isRandom(question)) sealed.push(answer.sealed);
  }
  return { digests, sealed, wrong };
}

/** Whether no two answers to a question are the same. */
export const isRandom = ({ act, seed }) => act === "encrypt" && seed === undefined;

/** SHA-256 in hexadecimal. */
export async function digest(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What is wrong with an answer, or nothing. */
async function judge(answer, expected) {
  const said = answer.error ? `it is refused: ${answer.error.code}: ${answer.error.message}` : "";
  if ("codes" in expected) {
    if (!said) return "it is not refused";
    return expected.codes && !expected.codes.includes(answer.error.code) ? said : "";
  }
  if ("outcomes" in expected) {
    const came = outcome(answer);
    if (!expected.outcomes.includes(came)) return `the outcome is ${came}: ${said}`;
    return expected.payload && await digest(bytes(answer.payload)) !== expected.payload ? "another payload" : "";
  }
  if (said) return said;
  if ("made" in expected) return answer.made === expected.made ? "" : `it gives ${answer.made}`;
  if ("begins" in expected) {
    return answer.made.startsWith(expected.begins) === expected.holds ? "" : `it gives ${answer.made}`;
  }
  if ("opened" in expected) return answer.opened === expected.opened ? "" : `it comes back as ${text(answer.opened)}`;
  if ((answer.text === expected.text) === expected.otherText) {
    return expected.otherText ? "it has the bytes of sops now" : `it opens to ${text(answer.text)}`;
  }
  for (const [word, view] of Object.entries(expected.views)) {
    const ours = answer.as[word];
    if (view === null ? !ours.error : ours !== view && !(word === "json" && sameJson(ours, view))) {
      return `as ${word} it is ${ours.error ?? text(ours)}`;
    }
  }
  return "";
}

/** An outcome in the words of the vectors. */
function outcome({ error }) {
  if (!error) return "success";
  const { code, message } = error;
  if (code === "no-matching-identity") return "no match";
  const [, what] = message.match(/^the age (header is|armor is|payload is|header was) /) ?? [];
  const words = {
    "armor is": "armor failure",
    "header is": "header failure",
    "header was": "HMAC failure",
    "payload is": "payload failure",
  };
  return code === "age-file-invalid" ? words[what] : code;
}

function sameJson(one, other) {
  const same = (one, other) => {
    if (typeof one !== "object" || typeof other !== "object" || !one || !other) return one === other;
    const [keys, others] = [Object.keys(one), Object.keys(other)];
    return Array.isArray(one) === Array.isArray(other) && keys.length === others.length
      && keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]));
  };
  return same(JSON.parse(text(one)), JSON.parse(text(other)));
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function text(base64) {
  return new TextDecoder().decode(bytes(base64));
}
