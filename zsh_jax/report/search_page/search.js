"use strict";
// Hamming search in packed codes, and the look-up of class names. No document is needed here.

/** 32-bit words of codes, from base64. */
function wordsOf(text) {
  return new Uint32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/** Number of ones in a 32-bit word. */
function ones(word) {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * The nearest rows to a query, ties in the order of the rows: a counting sort by distance.
 * codes: words of all codes; query: words of one; rows: those to search, ascending; bits: code length.
 */
function nearest(codes, query, rows, bits, count) {
  const distances = new Uint16Array(rows.length);
  const places = new Uint32Array(bits + 2);
  rows.forEach((row, i) => {
    let distance = 0;
    for (let word = 0; word < query.length; word += 1) {
      distance += ones(codes[row * query.length + word] ^ query[word]);
    }
    distances[i] = distance;
    places[distance + 1] += 1;
  });
  for (let distance = 0; distance <= bits; distance += 1) places[distance + 1] += places[distance];
  const order = new Uint32Array(rows.length);
  rows.forEach((_, i) => {
    order[places[distances[i]]] = i;
    places[distances[i]] += 1;
  });
  return Array.from(order.subarray(0, count), (i) => ({ row: rows[i], distance: distances[i] }));
}

/** A name as it is compared: case, underscores and repeated blanks do not count. */
function plain(name) {
  return name.replace(/_/g, " ").replace(/\s+/g, " ").trim().toLowerCase();
}

/** The classes that a typed text may mean: the one of this name, else those that begin with it, else that hold it. */
function meant(text, classes) {
  const exact = classes.indexOf(text.trim());
  if (exact >= 0) return [exact];
  const wanted = plain(text);
  if (!wanted) return [];
  const names = classes.map(plain);
  const tests = [(name) => name === wanted, (name) => name.startsWith(wanted), (name) => name.includes(wanted)];
  for (const test of tests) {
    const found = [...names.keys()].filter((number) => test(names[number]));
    if (found.length) return found;
  }
  return [];
}
