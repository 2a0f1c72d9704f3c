// Search as you type; thumbnails arrive after the page is there, and are asked for again while they are being made.

const search = document.getElementById("search");
const cards = [...document.querySelectorAll(".system")];
const fold = text => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
const words = new Map(cards.map(card => [card, fold(card.dataset.words)]));

function filter() {
  const wanted = fold(search.value).split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const card of cards) {
    card.hidden = !wanted.every(word => words.get(card).includes(word));
    shown += !card.hidden;
  }
  for (const wing of document.querySelectorAll(".wing")) wing.hidden = !wing.querySelector(".system:not([hidden])");
  document.getElementById("nothing").hidden = shown > 0;
  document.getElementById("count").textContent = `${shown} ${shown === 1 ? "system" : "systems"}`;
}
search.addEventListener("input", filter);
search.addEventListener("keydown", event => {
  const first = document.querySelector(".system:not([hidden])");
  if (event.key === "Enter" && first) first.click();
});
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
});
filter();

async function load(image, wait = 800) {
  const answer = await fetch(image.dataset.src).catch(() => null);
  if (answer && answer.status === 200) {
    image.src = URL.createObjectURL(await answer.blob());
    image.classList.add("there");
  } else if (answer && answer.status === 202) {
    setTimeout(() => load(image, Math.min(wait * 1.5, 10000)), wait);
  }
}
const seen = new IntersectionObserver(entries => {
  for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); load(entry.target); }
}, {rootMargin: "200px"});
document.querySelectorAll(".thumb img").forEach(image => seen.observe(image));
