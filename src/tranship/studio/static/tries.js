"use strict";
// What the first rows become under an answer that is tried.

const tried = new Map();    // what ten rows become, as parts of the page, by place: a save draws the page anew
const trying = new Set();   // places whose rows are being read

function tryIt(question, draft, verdict) {
  const ask = async () => {
    const made = await call("/api/try", answerOf(question, draft));
    showVerdict(verdict, [], made.status === 200 && made.answer.tables.length ? "Both servers have read this answer: what ten rows become is below." : "");
    return made;
  };
  return tryNow(question.place, ask, (answer) =>
    answer.tables.length ? allPreviewed(answer.tables, [question.old_column, question.new_column]) : [make("p", { text: "This answer moves no rows." })]);
}

// A try waits for the answers that are being saved: it is about the state that they make.
async function tryNow(place, ask, parts) {
  trying.add(place);
  showTried(place, [make("p", { text: "reading ten rows …" })]);
  await saving;
  const { status, answer } = await ask();
  trying.delete(place);
  showTried(place, status === 200 ? parts(answer) : answer.problems.map((one) => make("p", { class: "wrong", text: words(one) })));
}

function triedBox(place) {
  const box = make("div", { "data-tried": place });
  box.append(...(tried.get(place) || []));
  return box;
}

function showTried(place, parts) {
  tried.set(place, parts);
  const box = [...$("main").querySelectorAll("[data-tried]")].find((one) => one.dataset.tried === place);
  if (box) box.replaceChildren(...parts);
}

// What was tried before goes with the answer that is saved; what is being tried is still to be shown.
function saved(place) {
  drafts.delete(place);
  if (!trying.has(place)) tried.delete(place);
}

function forgetTried() {
  [...tried.keys()].filter((place) => !trying.has(place)).forEach((place) => tried.delete(place));
}

async function previewTable(box) {
  box.replaceChildren(make("p", { text: "reading ten rows …" }));
  const { status, answer } = await call("/api/preview", { table });
  box.replaceChildren(...(status === 200 ? allPreviewed(answer.tables)
    : answer.problems.map((one) => make("p", { class: "wrong", text: words(one) }))));
}

// Of several flows each has its name above its rows.
function allPreviewed(tables, about = [], named = tables.length > 1) {
  return tables.flatMap((one) => [...(named ? [make("h4", { text: one.flow })] : []), previewed(one, about)]);
}

// A new column stands behind the old ones that it is made of, and first stands what the question is about: on
// no screen is all of a wide table seen at once.
function previewed(one, about = []) {
  const columns = inPairs(one, about);
  const head = make("tr", {}, ...columns.map((column) => make("th", { scope: "col", text: column.name })));
  const rows = one.rows.map((row) => make("tr", {}, ...columns.map((column) => cell(row[column.side][column.at], column.name))));
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": visible(`rows of ${one.flow}`) },
    ...(one.wrong ? [lookedAt(one)] : []), ...(about.length && one.wrong && !one.wrong.found ? [stillToSee()] : []), ...one.notes.map((note) => make("p", { text: note })),
    make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}

// How many rows were looked at, and what was found among them.
function lookedAt(one) {
  const wrong = one.wrong, of = one.columns.length === 1 ? ` for '${visible(one.columns[0].name)}'` : "";
  if (wrong.by_types) return make("p", { class: "dim", text: `No value${of} can be refused, by the types of both sides.` });
  if (wrong.looked === 0) return make("p", { class: "dim", text: "Looking for rows with a value that is refused took too long." });
  const which = wrong.looked === null ? wrong.at_least ? "Rows of the whole table were looked at" : "Every row was looked at" : `${wrong.looked} rows were looked at`;
  if (!wrong.found) return make("p", { text: `${which}: none has a value${of} that is refused.` });
  const many = `${wrong.at_least ? "at least " : ""}${wrong.found} ${wrong.found === 1 ? "has" : "have"} a value${of} that is refused`;
  return make("p", { class: "wrong", text: `${which}: ${many}. ${wrong.found === 1 ? "It stands first." : "Such rows stand first."}` });
}

// A value that is taken may still mean something else: another moment, a rounded amount.
function stillToSee() {
  return make("p", { class: "dim", text: "That a value is taken does not say that it means the same: compare old and new values below, and what the question says of the conversion." });
}

function inPairs(one, about) {
  const shown = new Set(), groups = [];
  const old = (at) => { shown.add(at); return { name: one.old_columns[at], side: "before", at }; };
  one.columns.forEach((column, at) => {
    // An expression need not say what it reads: then the column of the same name is what it replaces.
    const named = column.old_columns.length ? column.old_columns : [column.name];
    const sources = named.map((name) => one.old_columns.indexOf(name)).filter((place) => place >= 0 && !shown.has(place));
    const asked = about.includes(column.name) || column.old_columns.some((name) => about.includes(name));
    groups.push({ asked, columns: [...sources.map(old), { name: `→ ${column.name}`, side: "after", at }] });
  });
  one.old_columns.forEach((name, at) => {
    if (!shown.has(at)) groups.push({ asked: about.includes(name), columns: [old(at)] });
  });
  return [...groups.filter((group) => group.asked), ...groups.filter((group) => !group.asked)].flatMap((group) => group.columns);
}

// A narrow screen shows a row as lines, each with the name of its column.
function cell(one, column) {
  const named = { "data-column": visible(column) };
  if (one.note) return make("td", { ...named, class: one.rejects ? "refused" : "note", text: [one.text, `(${one.note})`].filter((part) => part !== null).join(" ") });
  return one.text === null ? make("td", { ...named, class: "null", text: "NULL" }) : make("td", { ...named, text: one.text });
}
