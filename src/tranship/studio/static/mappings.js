"use strict";
// A mapping, value by value: each value of OLD with the rows that hold it, and what it becomes.

const OPEN = "SPECIFY_DEFAULT_VALUE", REJECTED = Symbol("no new value");

// The lines of a mapping: those that it says, and the values of OLD that it does not. What nobody has begun to answer is
// open; what an answer leaves out is rejected. Null where JSON of a browser would not give the same mapping back.
function linesOf(text, counted) {
  let made = {};
  try { made = text.trim() ? JSON.parse(text) : {}; } catch { return null; }
  if (made === null || typeof made !== "object" || Array.isArray(made)) return null;
  const said = new Map(Object.entries(made));
  const exact = (one) => typeof one !== "number" || Number.isSafeInteger(one);
  if (![...said.values()].every((one) => one === null || typeof one !== "object" && exact(one))) return null;
  const rows = new Map(counted.map((one) => [one.value, one.rows])), silent = text.trim() ? REJECTED : OPEN;
  return [...new Set([...rows.keys(), ...said.keys()])].map((old) =>
    ({ old, rows: rows.get(old), becomes: said.has(old) ? said.get(old) : silent }));
}

function mappingText(lines) {
  const said = lines.filter((one) => one.becomes !== REJECTED && !(one.added && one.old === ""));
  return `{${said.map((one) => `${JSON.stringify(one.old)}: ${JSON.stringify(one.becomes)}`).join(", ")}}`;
}

// The form of a mapping; null where only its JSON text says it.
function mappingForm(question, field, draft, noted) {
  const lines = linesOf(draft.values[field.name] || "", question.old_values || []);
  if (lines === null) return null;
  const note = () => { draft.values[field.name] = mappingText(lines); noted(); };
  if (lines.length) draft.values[field.name] = mappingText(lines);
  const body = make("tbody", {}, ...lines.map((line) => mappingLine(question, line, note)));
  const more = () => {
    const line = { old: "", becomes: OPEN, added: true }, row = mappingLine(question, line, note);
    lines.push(line);
    body.append(row);
    row.querySelector("input").focus();
  };
  const head = ["old value", "rows", "new value", "or"].map((text) => make("th", { text }));
  return make("div", {}, make("div", { class: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, ...head)), body)),
    make("button", { type: "button", text: "One more old value", on: { click: more } }));
}

function mappingLine(question, line, note) {
  const cell = (name, ...parts) => make("td", { "data-column": name }, ...parts);
  const named = () => visible(`'${line.old}'`);
  const old = line.added ? oldValue(line, note) : make("span", { text: named() });
  const rows = make("span", { class: "dim", text: line.rows === undefined ? "" : String(line.rows) });
  const typed = newValue(question, line, named()), before = line.becomes, shown = typed.value;
  // What is not edited keeps its kind: a number stays one.
  const chosen = () => typed.value === "" ? OPEN : typed.value === shown && before !== REJECTED ? before : typed.value;
  typed.addEventListener(typed.tagName === "SELECT" ? "change" : "input", () => { line.becomes = chosen(); note(); });
  const reject = make("input", { type: "checkbox", "aria-label": `Reject the rows with ${named()}` });
  reject.checked = typed.disabled = line.becomes === REJECTED;
  reject.addEventListener("change", () => {
    typed.disabled = reject.checked;
    line.becomes = reject.checked ? REJECTED : chosen();
    note();
  });
  return make("tr", {}, cell("old value", old), cell("rows", rows), cell("new value", typed),
    cell("or", make("label", {}, reject, "reject its rows")));
}

function oldValue(line, note) {
  const input = make("input", { autocomplete: "off", spellcheck: "false", "aria-label": "Old value" });
  input.addEventListener("input", () => { line.old = input.value; note(); });
  return input;
}

// Where NEW's values are known one of them is chosen, else one is typed; nothing chosen or typed is open.
function newValue(question, line, named) {
  const given = line.becomes === OPEN || line.becomes === REJECTED ? "" : line.becomes === null ? "NULL" : String(line.becomes);
  const label = { "aria-label": `New value of ${named}` }, known = question.known;
  const others = given === "" || known.includes(given) ? [] : [given];
  const input = known.length
    ? make("select", label, make("option", { value: "", text: "choose …" }),
      ...[...known, ...others].map((one) => make("option", { value: one, text: one })))
    : make("input", { ...label, autocomplete: "off", spellcheck: "false", placeholder: question.new_type });
  input.value = given;
  return input;
}
