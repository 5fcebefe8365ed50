"use strict";
// Whole suggestions: entries that stand beside the questions of a table. Nothing is accepted by itself.

function shownSuggestions() {
  const all = $("filter").value === "all", part = $("search").value.toLowerCase();
  return state.suggestions.filter((one) => (all || !one.taken || tried.has(one.place)) && one.table.toLowerCase().includes(part));
}

function untaken(name) {
  return state.suggestions.filter((one) => one.table === name && !one.taken);
}

function suggestionCard(one) {
  const box = make("article", { class: `card ${one.taken ? "answered" : "suggested"}`, "data-place": one.place }, make("h3", { text: `Suggestion: ${one.text}` }));
  if (one.taken) box.append(make("p", { class: "right", text: `accepted: ${one.taken}` }));
  box.append(make("ul", {}, ...one.evidence.map((fact) => make("li", { text: fact }))));
  box.append(make("p", { class: "dim", text: one.taken ? "Its entries:" : "Accepting it decides:" }),
    make("ul", {}, ...one.lines.map((line) => make("li", {}, make("code", { text: line })))));
  box.append(one.taken ? undoing(one) : accepting(one));
  return box;
}

function undoing(one) {
  const verdict = make("div", { "aria-live": "polite" });
  const undo = make("button", { type: "button", text: "Undo: take it back", on: { click: () => decideSuggestion(one, "undo", "", verdict) } });
  return make("div", {}, verdict, ...(one.undoable ? [undo] : []));
}

function accepting(one) {
  const typed = make("textarea", { autocomplete: "off", spellcheck: "false", "aria-label": "Entries as JSON" });
  typed.value = drafts.get(one.place) ?? one.entries;
  const given = () => typed.value === one.entries ? "" : typed.value;
  const verdict = make("div", { "aria-live": "polite" }), result = triedBox(one.place);
  const check = debounced(async () => {
    const { answer } = await aboutSuggestion(one, "check", given());
    if (answer.unread) return showVerdict(verdict, answer.problems, UNREAD, "dim");
    showVerdict(verdict, answer.problems || [], "These entries fit the two schemas.");
  }, 350);
  typed.addEventListener("input", () => { drafts.set(one.place, typed.value); check(); });
  const change = make("details", {}, make("summary", { text: "Change the entries first, as JSON" }), typed);
  // What it leaves open has to be filled in.
  change.open = !one.complete || drafts.has(one.place);
  return make("form", { on: { submit: (event) => { event.preventDefault(); decideSuggestion(one, "accept", given(), verdict); } } },
    change, verdict, make("div", { class: "row" },
      make("button", { type: "submit", class: "main", text: "Accept this suggestion" }),
      make("button", { type: "button", text: "Try it on ten rows", on: { click: () => trySuggestion(one, given()) } })),
    result);
}

function aboutSuggestion(one, what, entries, anyway = false) {
  return call("/api/suggestion", { place: one.place, do: what, entries, anyway, version: state.version });
}

function decideSuggestion(one, what, entries, verdict, anyway = false) {
  saving = saving.then(async () => {
    if (what === "accept") showVerdict(verdict, [], READING, "dim");
    const { status, answer } = await aboutSuggestion(one, what, entries, anyway);
    if (status === 409) { say(answer.problems); return load(); }
    if (status !== 200) return showRefusal(verdict, answer, () => decideSuggestion(one, what, entries, verdict, true));
    showSaved(answer, [one.place]);
  });
  return saving;
}

function trySuggestion(one, entries) {
  return tryNow(one.place, () => aboutSuggestion(one, "try", entries), (answer) => answer.tables.length
    ? allPreviewed(answer.tables, [], true)
    : [make("p", { text: "This suggestion moves no rows." })]);
}
