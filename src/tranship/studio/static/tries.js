"use strict";
// What the first rows become under an answer that is tried.

const tried = new Map();    // what ten rows become, as parts of the page, by place: a save draws the page anew
const trying = new Set();   // places whose rows are being read

function tryIt(question, draft) {
  return tryNow(question.place, () => call("/api/try", answerOf(question, draft)), (answer) =>
    answer.tables.length ? answer.tables.map(previewed) : [make("p", { text: "This answer moves no rows." })]);
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
  box.replaceChildren(...(status === 200 ? answer.tables.map(previewed)
    : answer.problems.map((one) => make("p", { class: "wrong", text: words(one) }))));
}

function previewed(one) {
  const head = make("tr", {}, ...one.old_columns.map((name) => make("th", { scope: "col", text: name })),
    ...one.columns.map((column) => make("th", { scope: "col", text: `→ ${column.name}` })));
  const rows = one.rows.map((row) => make("tr", {}, ...[...row.before, ...row.after].map(cell)));
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": visible(`rows of ${one.flow}`) },
    ...one.notes.map((note) => make("p", { text: note })),
    make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}

function cell(one) {
  if (one.note) return make("td", { class: "note", text: [one.text, `(${one.note})`].filter((part) => part !== null).join(" ") });
  return one.text === null ? make("td", { class: "null", text: "NULL" }) : make("td", { text: one.text });
}
