"use strict";
// Without scripts the page is complete; this adds a switch for the theme, and heads that sort their table.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const button = document.createElement("button");
  const say = () => { button.textContent = isDark() ? "light theme" : "dark theme"; };
  button.type = "button";
  button.className = "theme";
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* files may have no storage */ }
    say();
  });
  try { // a page may be shown where storage is forbidden
    const kept = localStorage.getItem("theme");
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch { /* then the system decides */ }
  dark.addEventListener("change", say);
  say();
  document.querySelector("header").prepend(button);

  const number = (text) => {
    const found = /^[+\-−]?[\d,]*\.?\d+(e[+-]?\d+)?/i.exec(text.trim());
    return found ? parseFloat(found[0].replaceAll(",", "").replace("−", "-")) : NaN;
  };
  const sort = (table, place, down) => {
    const body = table.tBodies[0];
    const text = (row) => row.cells[place].textContent.trim();
    const rows = [...body.rows].filter((row) => text(row) !== "-"); // nothing was measured in the others
    const blank = [...body.rows].filter((row) => text(row) === "-");
    const numeric = rows.every((row) => !Number.isNaN(number(text(row))));
    const order = (a, b) =>
      numeric ? number(text(a)) - number(text(b)) : text(a).localeCompare(text(b), "en", { numeric: true });
    rows.sort((a, b) => (down ? order(b, a) : order(a, b)));
    body.append(...rows, ...blank);
  };
  for (const table of document.querySelectorAll("table")) {
    const heads = [...table.tHead.rows[0].cells];
    if (table.tBodies[0].rows.length < 2) continue;
    heads.forEach((head, place) => {
      const press = document.createElement("button");
      press.type = "button";
      press.className = "sort";
      press.title = "sort by this column";
      press.append(...head.childNodes);
      head.append(press);
      press.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        // Figures from the highest down, names from the first up; pressed again, the other way round.
        const down = before ? before === "ascending" : !head.classList.contains("head");
        for (const one of heads) one.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, place, down);
      });
    });
  }
})();
