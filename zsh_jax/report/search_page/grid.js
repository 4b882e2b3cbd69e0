// Grids of images: one tab stop each, arrow keys to move inside.

/** Make an element. Text is set as text, never as markup. */
function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Put elements into a grid; the first button is its tab stop. */
function fill(grid, items) {
  grid.replaceChildren(...items);
  const first = grid.querySelector("button");
  if (first) first.tabIndex = 0;
}

/** Move the focus, and the tab stop, to a button of a grid. */
function moveTo(grid, button) {
  for (const one of grid.querySelectorAll('button[tabindex="0"]')) one.tabIndex = -1;
  button.tabIndex = 0;
  button.focus();
}

/** The button that a key leads to from another; nothing for other keys. */
function after(key, buttons, from) {
  const top = (button) => button.parentElement.offsetTop;
  const last = buttons.length - 1;
  const next = buttons.findIndex((button) => top(button) > top(buttons[0]));
  const columns = next < 0 ? buttons.length : next;
  const to = {
    ArrowRight: Math.min(from + 1, last),
    ArrowLeft: Math.max(from - 1, 0),
    ArrowDown: from + columns > last ? (top(buttons[last]) > top(buttons[from]) ? last : from) : from + columns,
    ArrowUp: from - columns < 0 ? from : from - columns,
    Home: 0,
    End: last,
  }[key];
  return to === undefined ? undefined : buttons[to];
}

/** Let the arrow keys move inside a grid. */
function withKeys(grid) {
  grid.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const buttons = [...grid.querySelectorAll("button")];
    const from = buttons.indexOf(event.target);
    const button = from < 0 ? undefined : after(event.key, buttons, from);
    if (!button) return;
    event.preventDefault();
    moveTo(grid, button);
  });
  grid.addEventListener("focusin", (event) => {
    for (const one of grid.querySelectorAll('button[tabindex="0"]')) one.tabIndex = -1;
    event.target.tabIndex = 0;
  });
}
