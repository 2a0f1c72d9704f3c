// Where one looks, relatives are lit and all else steps back.

function light(map) {
  const lines = [...map.querySelectorAll("[data-ends]")], names = [...map.querySelectorAll("a")];

  function look(key) {
    map.classList.toggle("looking", Boolean(key));
    const near = new Set([key]);
    for (const line of lines) {
      const ends = line.dataset.ends.split(" "), on = ends.includes(key);
      line.classList.toggle("near", on);
      if (on) ends.forEach(end => near.add(end));
    }
    for (const name of names) name.classList.toggle("near", near.has(name.dataset.key));
  }

  for (const name of names) {
    for (const event of ["pointerenter", "focus"]) name.addEventListener(event, () => look(name.dataset.key));
    for (const event of ["pointerleave", "blur"]) name.addEventListener(event, () => look(null));
  }
}

document.querySelectorAll(".map .atlas").forEach(light);

for (const around of document.querySelectorAll(".map")) { // what is wider than the page begins in its middle
  around.scrollLeft = (around.scrollWidth - around.clientWidth) / 2;
}
