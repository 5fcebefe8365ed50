"use strict";
// The answer to one question: its form, what is said of it, and how it is saved.

// The form of one question: what is chosen, the fields of the choice, why, and what the server says of it.
function answerForm(question, box) {
  // A suggestion with a placeholder cannot be accepted as it is: it is there to be changed.
  const whole = complete(question);
  // Where nothing is suggested nothing is chosen: one careless click would leave data behind.
  const first = whole ? "suggestion" : question.suggestion_text ? "fields" : question.key ? "0" : "";
  const draft = drafts.get(question.place) || { choice: first, values: {}, because: question.because };
  const select = make("select", { "aria-label": "Answer" });
  if (whole) select.append(make("option", { value: "suggestion", text: "accept the suggestion" }));
  if (first === "") select.append(make("option", { value: "", text: "choose …" }));
  question.choices.forEach((one, n) => select.append(make("option", { value: String(n), text: `${one.name} (${one.action})` })));
  select.append(make("option", { value: "fields", text: question.suggestion_text ? "change the suggestion, as JSON" : "fields as JSON" }));
  draft.values.fields ??= question.suggestion_text;
  select.value = draft.choice;
  const name = make("input", { autocomplete: "off", spellcheck: "false" });
  const named = question.key ? [make("label", { class: "wide" }, "table, or flow such as members -> profiles ", name)] : [];
  name.value = draft.values[":key"] ??= question.key || "";
  const fields = make("div"), verdict = make("div", { "aria-live": "polite" }), result = triedBox(question.place);
  const because = make("input", { autocomplete: "off" });
  because.value = draft.because || "";
  const changed = debounced(() => check(question, draft, verdict), 350);
  const noted = () => { drafts.set(question.place, draft); changed(); };
  select.addEventListener("change", () => { draft.choice = select.value; showFields(question, draft, fields, noted); noted(); });
  because.addEventListener("input", () => { draft.because = because.value; drafts.set(question.place, draft); });
  name.addEventListener("input", () => { draft.values[":key"] = name.value; noted(); });
  showFields(question, draft, fields, noted);
  const alike = likeThis(question);
  const both = make("button", { type: "button", text: `Save for all ${alike.length + 1} that ask the same: ${namesOf(question, ...alike)}`,
    on: { click: () => save(question, draft, verdict, alike.map((one) => one.place)) } });
  const offer = () => { both.hidden = !alike.length || !fitsAlike(question, draft); };
  select.addEventListener("change", offer);
  offer();
  const element = make("form", { on: { submit: (event) => { event.preventDefault(); save(question, draft, verdict); } } },
    ...named, make("div", { class: "row" }, select), fields, make("label", { class: "wide" }, "because ", because), verdict,
    make("div", { class: "row" },
      make("button", { type: "submit", class: "main", text: question.key ? "Save this decision" : "Save this answer" }),
      both,
      make("button", { type: "button", text: "Try it on ten rows", on: { click: () => isChosen(question, draft, verdict) && tryIt(question, draft, verdict) } })),
    result);
  return { element };
}

function namesOf(...questions) {
  const names = questions.map((one) => [one.table, one.new_column || one.old_column].filter(Boolean).join("."));
  return names.slice(0, 5).join(", ") + (names.length > 5 ? " …" : "");
}

function likeThis(question) {
  return question.like === "" || !question.open ? [] : state.questions.filter((one) =>
    one.open && one.like === question.like && one.place !== question.place);
}

// An answer that names a column or reads one belongs to one question alone.
function fitsAlike(question, draft) {
  if (draft.choice === "suggestion") return likeThis(question).every(complete);
  if (draft.choice === "") return false;
  const choice = question.choices[Number(draft.choice)];
  return Boolean(choice) && !choice.fields.some((one) => one.name.endsWith("_column") || (one.kind === "sql" && question.old_column));
}

function debounced(action, milliseconds) {
  let timer = null;
  return () => { clearTimeout(timer); timer = setTimeout(action, milliseconds); };
}

function showFields(question, draft, box, noted) {
  box.replaceChildren();
  if (draft.choice === "suggestion") return box.append(make("pre", { text: question.suggestion_text }));
  if (draft.choice === "") return;
  const choice = question.choices[Number(draft.choice)];
  const wanted = draft.choice === "fields" ? [{ name: "fields", asked: 'for example {"action": "ignore"}', kind: "json" }] : choice.fields;
  if (choice) box.append(make("p", { class: "dim", text: choice.does }));
  for (const field of wanted) {
    const input = fieldInput(field);
    if (field.kind === "flag") input.checked = draft.values[field.name] === "true";
    else input.value = draft.values[field.name] || "";
    const typed = () => { draft.values[field.name] = field.kind === "flag" ? String(input.checked) : input.value; noted(); };
    input.addEventListener(field.kind === "word" || field.kind === "flag" ? "change" : "input", typed);
    const optional = field.optional ? " (may be empty)" : "";
    box.append(make("label", { class: "wide", text: `${field.name}: ${field.asked}${optional} ` }, input));
  }
}

function fieldInput(field) {
  if (field.kind === "flag") return make("input", { type: "checkbox" });
  if (field.kind === "word") return make("select", {}, ...["", ...field.words].map((one) => make("option", { value: one, text: one })));
  return make(field.kind === "text" ? "input" : "textarea", { autocomplete: "off", spellcheck: "false" });
}

// A field's value as JSON text; null where it may be empty and is.
function encoded(field, typed) {
  if (typed === "" && field.optional) return null;
  if (field.kind === "json") return typed || "null";
  if (field.kind === "flag") return typed === "true" ? "true" : null;
  if (field.kind === "lines") return JSON.stringify(typed.split("\n").map((one) => one.trim()).filter(Boolean));
  return JSON.stringify(typed);
}

// Returns the fields as JSON text: texts of JSON fields go as they are typed, so numbers keep their digits.
function answerOf(question, draft) {
  const about = question.key ? { key: draft.values[":key"] || question.key } : { place: question.place };
  const common = { ...about, because: draft.because || "", version: state.version };
  if (draft.choice === "suggestion") return { ...common, fields: question.suggestion_text, how: "suggestion" };
  if (draft.choice === "fields") return { ...common, fields: draft.values.fields || "{}", how: "fields" };
  const choice = question.choices[Number(draft.choice)];
  const parts = [`"action": ${JSON.stringify(choice.action)}`];
  for (const field of choice.fields) {
    const value = encoded(field, draft.values[field.name] || "");
    if (value !== null) parts.push(`${JSON.stringify(field.name)}: ${value}`);
  }
  return { ...common, fields: `{${parts.join(", ")}}`, how: choice.name === "expression" ? "expression" : "choice" };
}

const UNREAD = "The two schemas allow this answer. Both servers check it when you try it, and before it is saved.";

function showVerdict(box, problems, good, tone = "right") {
  box.replaceChildren(...problems.map((one) => make("p", { class: "wrong", text: words(one) })));
  if (!problems.length && good) box.append(make("p", { class: tone, text: good }));
}

// What a server refuses is saved only by a person who was told why it refuses.
function showRefusal(box, answer, saveAnyway) {
  showVerdict(box, answer.problems);
  if (answer.by_servers) box.append(make("p", { text: "Nothing was saved." }),
    make("button", { type: "button", text: "Save it all the same", on: { click: saveAnyway } }));
}

// Returns whether an answer is chosen and its fields are filled in; says what is missing where not.
function isChosen(question, draft, verdict) {
  const missing = draft.choice === "" ? [{ message: "Choose an answer first." }] : emptyFields(question, draft);
  if (missing.length) showVerdict(verdict, missing);
  return !missing.length;
}

// A constant may be the empty text; no other field that a choice needs may be empty.
function emptyFields(question, draft) {
  const choice = question.choices[Number(draft.choice)];
  const needed = draft.choice === "" || !choice ? [] : choice.fields.filter((one) => !one.optional && one.kind !== "flag" && one.name !== "default_value");
  return needed.filter((one) => !(draft.values[one.name] || "").trim()).map((one) => ({ message: `Fill in ${one.name}: ${one.asked}.` }));
}

// Typing asks no server: what only a server can read is not said to fit before one has read it.
async function check(question, draft, verdict) {
  if (draft.choice === "") return showVerdict(verdict, []);
  if (!isChosen(question, draft, verdict)) return;
  const { answer } = await call("/api/check", answerOf(question, draft));
  if (answer.unread) return showVerdict(verdict, answer.problems, UNREAD, "dim");
  showVerdict(verdict, answer.problems || [], "This answer fits the two schemas.");
}

// One after the other: the next answer is about the state that the one before it made.
let saving = Promise.resolve();

function save(question, draft, verdict, also = [], anyway = false) {
  if (!isChosen(question, draft, verdict)) return saving;
  saving = saving.then(() => saveNow(question, draft, verdict, also, anyway));
  return saving;
}

async function saveNow(question, draft, verdict, also, anyway) {
  if (also.length && draft.choice === "suggestion") return accept([question.place, ...also]);
  const { status, answer } = await call("/api/answer", { ...answerOf(question, draft), also, anyway });
  if (status === 409) { say(answer.problems); return load(); }
  if (status !== 200) return showRefusal(verdict, answer, () => save(question, draft, verdict, also, true));
  [question.place, ...also].forEach(saved);
  say([]);
  take(answer);
  const next = $("main").querySelector("select, button");
  (next || $("main")).focus();
}
