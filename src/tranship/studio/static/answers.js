"use strict";
// The answer to one question: its form, what is said of it, and how it is saved.

// What is chosen at first. An answered question shows the answer that stands in the file.
function beginning(question) {
  const stands = question.present, suggested = question.drafted;
  const values = suggested ? suggested.values : {};
  if (stands) {
    const choice = stands.choice === null ? "fields" : String(stands.choice);
    return { choice, values: { ...values, ...stands.values, fields: stands.text } };
  }
  // A suggestion with a placeholder cannot be accepted as it is: it is there to be filled in, in the form of its
  // kind where there is one. Where nothing is suggested nothing is chosen: one careless click would leave data behind.
  const toFill = suggested ? String(suggested.choice) : question.suggestion_text ? "fields" : question.key ? "0" : "";
  return { choice: complete(question) ? "suggestion" : toFill, values: { ...values, fields: question.suggestion_text } };
}

// The ways to answer, each by the value of its option.
function optionsOf(question, chosen) {
  const stands = question.present, options = [];
  const guess = question.guess ? ", a guess" : "";
  if (complete(question) && !(stands && stands.text === question.suggestion_text)) {
    options.push(["suggestion", stands ? `take the suggestion instead${guess}` : `accept the suggestion${guess}`]);
  }
  if (chosen === "") options.push(["", "choose …"]);
  question.choices.forEach((one, n) => options.push([String(n), one.name === one.action ? one.name : `${one.name} (${one.action})`]));
  options.push(["fields", stands ? "this answer, as JSON" : question.suggestion_text ? "change the suggestion, as JSON" : "fields as JSON"]);
  return options.map(([value, text]) => make("option", { value, text }));
}

// The form of one question: what is chosen, the fields of the choice, why, and what the server says of it.
function answerForm(question) {
  const first = beginning(question);
  const draft = drafts.get(question.place) || { ...first, because: question.because };
  const select = make("select", { "aria-label": "Answer" });
  select.append(...optionsOf(question, first.choice));
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
  const { both, allNames, offer } = saveForAll(question, draft, verdict);
  select.addEventListener("change", offer);
  return make("form", { on: { submit: (event) => { event.preventDefault(); save(question, draft, verdict); } } },
    ...named, make("div", { class: "row" }, select), fields, make("label", { class: "wide" }, "because ", because), verdict,
    make("div", { class: "row" },
      make("button", { type: "submit", class: "main", text: question.key ? "Save this decision" : "Save this answer" }),
      ...both,
      make("button", { type: "button", text: "Try it on ten rows", on: { click: () => isChosen(question, draft, verdict) && tryIt(question, draft, verdict) } })),
    ...allNames, result);
}

// One answer for all questions that ask the same; where no other one does, there is nothing to offer.
function saveForAll(question, draft, verdict) {
  const alike = likeThis(question);
  if (!alike.length) return { both: [], allNames: [], offer: () => {} };
  const names = namesOf(question, ...alike), many = `Save for all ${alike.length + 1} that ask the same`;
  const both = make("button", { type: "button", text: alike.length < 5 ? `${many}: ${names}` : many,
    on: { click: () => save(question, draft, verdict, alike.map((one) => one.place)) } });
  // Nobody decides about a column that is not named.
  const allNames = make("p", { class: "dim", text: `The same is asked of ${names}.` });
  const offer = () => { both.hidden = !fitsAlike(question, draft); allNames.hidden = both.hidden || alike.length < 5; };
  offer();
  return { both: [both], allNames: [allNames], offer };
}

function namesOf(...questions) {
  return questions.map((one) => [one.table, one.new_column || one.old_column].filter(Boolean).join(".")).join(", ");
}

function likeThis(question) {
  return question.like === "" || !question.open ? [] : state.questions.filter((one) =>
    one.open && one.like === question.like && one.place !== question.place);
}

// An answer that names a column or a table, or reads the row, belongs to one question alone.
function fitsAlike(question, draft) {
  if (draft.choice === "suggestion") return [question, ...likeThis(question)].every((one) => complete(one) && !one.guess);
  if (draft.choice === "") return false;
  const choice = question.choices[Number(draft.choice)];
  return Boolean(choice) && !choice.fields.some((one) => /_(column|table)$/.test(one.name) && one.kind === "text" || one.kind === "sql");
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
  const wanted = draft.choice === "fields" ? [{ name: "fields", asked: `for example ${exampleOf(question)}`, kind: "json" }] : choice.fields;
  if (choice) box.append(make("p", { class: "dim", text: choice.does }));
  for (const field of wanted) {
    const byValue = field.kind === "mapping" && mappingForm(question, field, draft, noted);
    if (byValue) { box.append(byValue); continue; }
    const input = fieldInput(field);
    if (field.kind === "flag") input.checked = draft.values[field.name] === "true";
    else input.value = draft.values[field.name] || "";
    const typed = () => { draft.values[field.name] = field.kind === "flag" ? String(input.checked) : input.value; noted(); };
    input.addEventListener(field.kind === "word" || field.kind === "flag" ? "change" : "input", typed);
    const optional = field.optional ? " (may be empty)" : "";
    box.append(make("label", { class: "wide", text: `${field.name}: ${field.asked}${optional} ` }, input));
  }
}

// Fields that could be typed here: what is suggested, else the first choice with what it needs.
function exampleOf(question) {
  if (question.suggestion_text) return question.suggestion_text;
  const first = question.choices[0], needed = first.fields.filter((one) => !one.optional);
  return JSON.stringify(Object.fromEntries([["action", first.action], ...needed.map((one) => [one.name, "…"])]));
}

function fieldInput(field) {
  if (field.kind === "flag") return make("input", { type: "checkbox" });
  if (field.kind === "word") return make("select", {}, ...["", ...field.words].map((one) => make("option", { value: one, text: one })));
  return make(field.kind === "text" ? "input" : "textarea", { autocomplete: "off", spellcheck: "false" });
}

// A field's value as JSON text; null where it may be empty and is.
function encoded(field, typed) {
  if (typed === "" && field.optional) return null;
  if (field.kind === "json" || field.kind === "mapping") return typed || "null";
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

const READING = "Both servers read what is saved …";

function save(question, draft, verdict, also = [], anyway = false) {
  if (!isChosen(question, draft, verdict)) return saving;
  saving = saving.then(() => saveNow(question, draft, verdict, also, anyway));
  return saving;
}

async function saveNow(question, draft, verdict, also, anyway) {
  if (also.length && draft.choice === "suggestion") return acceptNow([question.place, ...also], verdict, anyway);
  showVerdict(verdict, [], READING, "dim");
  const before = state.version;
  const { status, answer } = await call("/api/answer", { ...answerOf(question, draft), also, anyway });
  if (status === 409) { say(answer.problems); return load(); }
  if (status !== 200) return showRefusal(verdict, answer, () => save(question, draft, verdict, also, true));
  if (answer.version === before) {
    drafts.delete(question.place);
    return showVerdict(verdict, [], "This answer stands in the file already: nothing was changed.");
  }
  showSaved(answer, [question.place, ...also]);
}

// Suggestions of several questions together. What a server refuses is saved only by a person who was told why.
function accept(places, verdict, anyway = false) {
  saving = saving.then(() => acceptNow(places, verdict, anyway));
  return saving;
}

// The column in the place of a problem: "$.resolutions.users[0] (users.state), line 12".
function columnOf(problem) {
  const found = /\(([^()]+)\), line \d+$/.exec(problem.object || "");
  return found ? found[1] : problem.object;
}

async function acceptNow(places, verdict, anyway) {
  showVerdict(verdict, [], READING, "dim");
  const { status, answer } = await call("/api/accept", { places, version: state.version, anyway });
  if (status === 409) { say(answer.problems); return load(); }
  if (status !== 200) {
    const named = (answer.problems || []).map((one) => ({ ...one, message: [columnOf(one), one.message].filter(Boolean).join(": ") }));
    return showRefusal(verdict, { ...answer, problems: named }, () => accept(places, verdict, true));
  }
  showVerdict(verdict, [], "");
  showSaved(answer, places);
}

// The page after a save, with the focus where a person goes on: at what stood behind the saved card, else at
// the first card.
function showSaved(answer, places) {
  const cards = () => [...$("main").querySelectorAll("[data-place]")], order = cards().map((one) => one.dataset.place);
  const at = order.indexOf(places[0]);
  places.forEach(saved);
  say([]);
  take(answer);
  const next = cards().find((one) => order.indexOf(one.dataset.place) > at) || cards()[0];
  (next && next.querySelector("select, textarea, button") || $("main")).focus();
}
