// Search as you type, the best first; thumbnails arrive after the page is there, and are asked for again while they are
// being made.

import {indexed, score, wordsOf} from "./search.js";

const search = document.getElementById("search"), found = document.getElementById("found");
const cards = [...document.querySelectorAll(".system")];
const index = new Map(cards.map(card => [card, indexed(card.querySelector("b").textContent, card.dataset)]));
const places = cards.map(card => [card, card.parentElement]); // in the order of the wings

const chips = [...document.querySelectorAll("[data-facet]")];
const facets = [...new Set(chips.map(chip => chip.dataset.facet))];
const has = (card, facet, tag) => card.dataset[facet].split("|").includes(tag);
const chosen = facet => chips.filter(chip => chip.dataset.facet === facet && chip.getAttribute("aria-pressed") === "true");

// Of one group any chosen word will do; of every group in which some are chosen there has to be one.
function fits(card, but) {
  return facets.every(facet => facet === but || !chosen(facet).length
    || chosen(facet).some(chip => has(card, facet, chip.dataset.tag)));
}

function show() {
  const asked = wordsOf(search.value);
  const scores = new Map(cards.map(card => [card, asked.length ? score(asked, index.get(card)) : 1]));
  const there = cards.filter(card => scores.get(card) > 0 && fits(card));
  for (const card of cards) card.hidden = !there.includes(card);
  if (asked.length) found.lastElementChild.append(...there.toSorted((a, b) => scores.get(b) - scores.get(a)));
  else for (const [card, place] of places) place.append(card);
  for (const wing of document.querySelectorAll(".wing")) wing.hidden = !wing.querySelector(".system:not([hidden])");
  document.getElementById("nothing").hidden = there.length > 0;
  document.getElementById("count").textContent = `${there.length} ${there.length === 1 ? "system" : "systems"}`;
  for (const chip of chips) {
    const {facet, tag} = chip.dataset;
    const count = cards.filter(card => scores.get(card) > 0 && fits(card, facet) && has(card, facet, tag)).length;
    chip.querySelector("[data-count]").textContent = count;
    chip.disabled = !count && chip.getAttribute("aria-pressed") !== "true";
  }
  const clear = document.getElementById("clear");
  if (clear) clear.hidden = !chips.some(chip => chip.getAttribute("aria-pressed") === "true");
}

function remember() {
  const query = new URLSearchParams(location.search);
  const put = (name, value) => { if (value) query.set(name, value); else query.delete(name); };
  put("q", search.value.trim());
  for (const facet of facets) put(facet, chosen(facet).map(chip => chip.dataset.tag).join("|"));
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
}

function press(which) { // what the address says, or what a hand does
  for (const chip of chips) if (which(chip) !== undefined) chip.setAttribute("aria-pressed", which(chip));
}

for (const chip of chips) {
  chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true");
    show();
    remember();
  });
}
document.getElementById("clear")?.addEventListener("click", () => { press(() => false); show(); remember(); });
search.addEventListener("input", () => { show(); remember(); });
search.addEventListener("keydown", event => {
  const first = document.querySelector(".system:not([hidden])");
  if (event.key === "Enter" && first) first.click();
});
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
});
document.getElementById("surprise").addEventListener("click", event => { // any of those that are shown
  const shown = cards.filter(card => !card.hidden);
  if (!shown.length) return;
  event.preventDefault();
  shown[Math.floor(Math.random() * shown.length)].click();
});
const linked = new URLSearchParams(location.search);
search.value = linked.get("q") ?? search.value;
press(({dataset}) => (linked.get(dataset.facet) ?? "").split("|").includes(dataset.tag));
show();

async function load(image, wait = 800) {
  const answer = await fetch(image.dataset.src + (image.src ? "?shown" : "")).catch(() => null);
  if (!answer || ![200, 202].includes(answer.status)) return;
  const picture = await answer.blob(); // with 202 one as it was, once, or nothing
  if (picture.size) {
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(picture);
    image.classList.add("there");
  }
  if (answer.status === 202) setTimeout(() => load(image, Math.min(wait * 1.5, 10000)), wait);
}
const seen = new IntersectionObserver(entries => {
  for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); load(entry.target); }
}, {rootMargin: "200px"});
document.querySelectorAll(".thumb img[data-src]").forEach(image => seen.observe(image));
