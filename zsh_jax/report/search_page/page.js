// The page: its state is in the address after #, so that the browser's Back leads to the query before.
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const DATABASE = 1, QUERY = 2, TRAINING = 4; // bits of a role
const STEP = 60; // images added by "Show more"
const roles = Uint8Array.from(data.roles, Number);
const every = [...data.ids.keys()];
const database = every.filter((row) => roles[row] & DATABASE);
const decoded = new Map();
let state = {}; // query: "image" or "name"; number: row or class; method, bits, count
let limit = STEP;

const number = (value) => value.toLocaleString("en");
const namesOf = (row) => data.labels[row].map((label) => data.classes[label]).join(", ") || "no class";
const isUnseen = (label) => data.unseen.includes(label);
const functionOf = () => data.functions.find((one) => one.method === state.method && one.bits === state.bits);

/** The codes of a function, decoded once. */
function codesOf(one) {
  if (!decoded.has(one)) {
    decoded.set(one, { images: wordsOf(one.images), names: one.names === null ? null : wordsOf(one.names) });
  }
  return decoded.get(one);
}

/** The picture of a row, or its name where the data set has no images. */
function picture(row) {
  if (data.kind === null) return made("span", { class: "text" }, data.ids[row]);
  const source = `data:${data.kind};base64,${data.thumbnails[row]}`;
  return made("img", { src: source, alt: "", width: 64, height: 64 });
}

/** A button that searches with an image. */
function tile(row, label, ...more) {
  const attributes = { type: "button", tabindex: -1, "data-row": row, "aria-label": label, title: data.ids[row] };
  const caption = made("span", { class: "caption" }, namesOf(row));
  return made("li", {}, made("button", attributes, picture(row), ...more, caption));
}

function result({ row, distance }, isRight) {
  const verdict = isRight ? "right" : "wrong";
  const mark = made("span", { class: `mark ${verdict}`, "aria-hidden": "true" }, isRight ? "✓" : "✗", ` ${distance}`);
  const item = tile(row, `${verdict}, distance ${distance}: ${namesOf(row)}, ${data.ids[row]}`, mark);
  item.firstChild.classList.add("hit", verdict);
  item.firstChild.dataset.distance = distance;
  return item;
}

function say(text) {
  at("message").textContent = text;
  at("message").hidden = !text;
}

/** What role an image has in the sweep. */
function roleOf(row) {
  if (roles[row] & QUERY) return "a query of the sweep, not in the database";
  if (roles[row] & TRAINING) return roles[row] & DATABASE ? "in training and in the database" : "in training";
  return roles[row] & DATABASE ? "in the database, not in training" : "not in the database";
}

function showQuery() {
  const isName = state.query === "name";
  const labels = isName ? [state.number] : data.labels[state.number];
  const kind = labels.some(isUnseen) ? "unseen class" : "seen class";
  const shown = isName ? made("span", { class: "word" }, `“${data.classes[state.number]}”`) : picture(state.number);
  const name = isName ? "query by class name" : namesOf(state.number);
  const about = isName ? kind : `${kind}; ${roleOf(state.number)}`;
  at("query").replaceChildren(shown, made("div", {}, made("strong", {}, name), made("span", { class: "note" }, about)));
}

/** Search with the query of the state, and show what is nearest. */
function search() {
  const one = functionOf();
  const codes = codesOf(one);
  const isName = state.query === "name";
  showQuery();
  const own = isName ? codes.names : codes.images;
  if (own === null) {
    say(`${one.method} has no codes of class names; fix: click an image, or choose another method`);
    at("summary").textContent = at("figures").textContent = "";
    fill(at("results"), []);
    return;
  }
  say("");
  const words = Math.ceil(one.bits / 32);
  const query = own.subarray(state.number * words, (state.number + 1) * words);
  const rows = isName ? database : database.filter((row) => row !== state.number);
  const start = performance.now();
  const found = nearest(codes.images, query, rows, one.bits, state.count);
  const time = performance.now() - start;
  const labels = isName ? [state.number] : data.labels[state.number];
  const right = found.map(({ row }) => data.labels[row].some((label) => labels.includes(label)));
  fill(at("results"), found.map((hit, i) => result(hit, right[i])));
  const figures = Object.entries(one.figures).map(([name, value]) => `${name} ${value}`).join(", ");
  at("summary").textContent =
    `${right.filter(Boolean).length} of ${found.length} right; ${number(rows.length)} images searched in ` +
    `${time.toFixed(1)} ms`;
  at("figures").textContent = figures ? `${one.method}, ${one.bits} bits, all queries of the sweep: ${figures}` : "";
}

/** The state in the address, or the first query image; numbers that the page lacks are ignored. */
function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const inside = (text, length) => (/^\d+$/.test(text ?? "") && Number(text) < length ? Number(text) : null);
  const image = inside(given.get("image"), data.ids.length);
  const name = inside(given.get("name"), data.classes.length);
  const first = Math.max(0, every.findIndex((row) => roles[row] & QUERY));
  const methods = data.functions.map((one) => one.method);
  const method = methods.includes(given.get("method")) ? given.get("method") : methods[0];
  const lengths = data.functions.filter((one) => one.method === method).map((one) => one.bits);
  const bits = lengths.includes(Number(given.get("bits"))) ? Number(given.get("bits")) : lengths[lengths.length - 1];
  const counts = [...at("count").options].map((option) => Number(option.value));
  const count = counts.includes(Number(given.get("count"))) ? Number(given.get("count")) : 24;
  const query = name === null ? "image" : "name";
  state = { query, number: name ?? image ?? first, method, bits, count };
}

/** Go to another state: as a new step of Back if the query changes. */
function go(changes) {
  const next = { ...state, ...changes };
  const address = new URLSearchParams({
    [next.query]: next.number, method: next.method, bits: next.bits, count: next.count,
  });
  const isNew = "query" in changes;
  history[isNew ? "pushState" : "replaceState"](null, "", `#${address}`);
  show();
  if (isNew) {
    at("found-title").focus({ preventScroll: true });
    at("found").scrollIntoView({ block: "start" });
  }
}

/** Give a select other options, unless it has them. */
function offer(select, values, text = String) {
  const same = values.join() === [...select.options].map((option) => option.value).join();
  if (!same) select.replaceChildren(...values.map((value) => made("option", { value }, text(value))));
}

function show() {
  readAddress();
  const lengths = data.functions.filter((one) => one.method === state.method).map((one) => one.bits);
  offer(at("method"), [...new Set(data.functions.map((one) => one.method))]);
  offer(at("bits"), lengths, (bits) => `${bits} bits`);
  for (const key of ["method", "bits", "count"]) at(key).value = state[key];
  search();
}

/** Rows with one of each class in turn, so that the first of them show all classes. */
function inTurn(rows) {
  const held = new Map();
  const turns = rows.map((row) => {
    const label = data.labels[row][0];
    held.set(label, (held.get(label) ?? 0) + 1);
    return held.get(label);
  });
  return [...rows.keys()].sort((a, b) => turns[a] - turns[b]).map((i) => rows[i]); // stable
}

/** The rows that the list of images shows. */
function listed() {
  const value = at("shown").value;
  if (value === "queries") return inTurn(every.filter((row) => roles[row] & QUERY));
  return value === "all" ? inTurn(every) : every.filter((row) => data.labels[row].includes(Number(value)));
}

function showImages() {
  const rows = listed();
  fill(at("images"), rows.slice(0, limit).map((row) => tile(row, `search with ${namesOf(row)}, ${data.ids[row]}`)));
  at("more").hidden = rows.length <= limit;
  at("how-many").textContent = `${number(Math.min(limit, rows.length))} of ${number(rows.length)}`;
}

function searchName() {
  const text = at("name").value;
  const found = meant(text, data.classes);
  if (found.length === 1) {
    at("name").value = data.classes[found[0]];
    go({ query: "name", number: found[0] });
  } else if (found.length) {
    const some = found.slice(0, 5).map((label) => data.classes[label]).join(", ");
    say(`${found.length} classes match “${text.trim()}”: ${some}${found.length > 5 ? ", ..." : ""}; fix: type more of it`);
  } else {
    say(text.trim() ? `there is no class “${text.trim()}”; fix: choose one of the list` : "type the name of a class");
  }
}

function start() {
  const named = [...data.classes.keys()].sort((a, b) => isUnseen(b) - isUnseen(a)); // stable: unseen first
  const label = (one) => `${data.classes[one]}${isUnseen(one) ? " (unseen)" : ""}`;
  at("names").replaceChildren(...named.map((one) => made("option", { value: data.classes[one] })));
  const queries = every.some((row) => roles[row] & QUERY);
  at("shown").replaceChildren(
    ...(queries ? [made("option", { value: "queries" }, "queries of the sweep")] : []),
    made("option", { value: "all" }, "all images"),
    ...named.map((one) => made("option", { value: one }, label(one))),
  );
  for (const grid of [at("results"), at("images")]) {
    withKeys(grid);
    grid.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) go({ query: "image", number: Number(button.dataset.row) });
    });
  }
  at("found-title").addEventListener("keydown", (event) => {
    const first = at("results").querySelector("button");
    if (event.key !== "ArrowDown" || !first) return;
    event.preventDefault();
    moveTo(at("results"), first);
  });
  at("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    searchName();
  });
  at("method").addEventListener("change", () => go({ method: at("method").value }));
  at("bits").addEventListener("change", () => go({ bits: Number(at("bits").value) }));
  at("count").addEventListener("change", () => go({ count: Number(at("count").value) }));
  at("shown").addEventListener("change", () => {
    limit = STEP;
    showImages();
  });
  at("more").addEventListener("click", () => {
    const before = limit;
    limit += STEP;
    showImages();
    const button = at("images").querySelectorAll("button")[before];
    if (button) moveTo(at("images"), button);
  });
  addEventListener("popstate", show);
  addEventListener("hashchange", show);
  show();
  showImages();
}

start();
