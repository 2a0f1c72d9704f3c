// Which systems somebody means: by whole words and their beginnings, never by pieces in their middle.

// What people call the same thing. Each word of a row finds what the others find.
const SAME = [
  "synchronization sync entrainment locking", "tc critical transition", "xy rotor phases oscillators",
  "landau landscape", "amp approximate-message-passing message", "rs replica-symmetric replica", "at almeida thouless",
  "rbm boltzmann", "sk sherrington", "rem random-energy", "epidemic sir infection contagion", "dla aggregation fractal",
  "ferromagnet magnet ising", "memory associative attractor hopfield", "anneal quench cooling", "glass glassy aging",
  "bp belief propagation bethe cavity", "percolation giant component", "generalization test error ridge",
  "compressed-sensing sparse recovery", "ebm energy-based", "vi variational", "rmt matrices eigenvalues levels",
  "flocking swarm", "neural network perceptron",
].map(row => row.split(" ").map(plain));

export function plain(text) { // as people type it: no accents, no marks of LaTeX, one spelling
  const folded = text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  return folded.replace(/[_^{}\\$"'’]/g, "").replace(/is(e|ed|es|er|ing|ation)\b/g, "iz$1").replace(/-/g, "");
}

const stem = word => word.length > 5 ? word.replace(/(ization|izations|ize|ized|izes|izing|ations|ation|ing|ed|es|s)$/, "") : word;

export function wordsOf(text) { // a word with a hyphen is also its parts
  const whole = text.split(/[\s,;:()[\]/.]+/).filter(Boolean);
  return [...new Set(whole.map(plain).filter(Boolean))];
}

function partsOf(text) {
  return new Set([...wordsOf(text), ...wordsOf(text.replace(/[-–]/g, " "))]);
}

export function indexed(title, {words, names, key}) {
  return [[partsOf(`${title} ${key.replaceAll("_", " ")} ${key}`), 8], [partsOf(words), 3], [partsOf(names), 1]];
}

function match(asked, word) { // 1 for the word itself, less for one that begins so
  if (word === asked) return 1;
  if (asked.length > 4 && stem(word) === stem(asked)) return 0.8;
  return asked.length > 1 && word.startsWith(asked) ? 0.5 * asked.length / word.length : 0;
}

function best(asked, index) {
  let most = 0;
  for (const [words, weight] of index) {
    for (const word of words) most = Math.max(most, weight * match(asked, word));
  }
  return most;
}

export function score(asked, index) { // 0 unless every word is found
  let sum = 0;
  for (const word of asked) {
    const others = SAME.filter(row => row.some(one => one === word || stem(one) === stem(word))).flat();
    const found = Math.max(best(word, index), ...others.map(other => 0.3 * best(other, index)));
    if (!found) return 0;
    sum += found;
  }
  return sum;
}
