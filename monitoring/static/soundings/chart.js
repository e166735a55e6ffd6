/* Steps through the dates of a chart by two buttons or by pressing on it, and says what is known on
   each. The chart is complete without it: the same values stand as tables on the page. */
"use strict";

(function () {
  const SVG = "http://www.w3.org/2000/svg";

  function addLine(svg) {
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("class", "chart__focus");
    svg.append(line);
    return line;
  }

  function moveTo(svg, line, x) {
    const edges = svg.dataset.plots.split(" ");
    let path = "";
    for (let index = 0; index < edges.length; index += 2) {
      path += `M${x} ${edges[index]}V${edges[index + 1]}`;
    }
    line.setAttribute("d", path);
  }

  function addButton(readout, label) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--small";
    button.textContent = label;
    readout.append(button);
    return button;
  }

  function nearest(stops, svg, event) {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    let best = 0;
    stops.forEach((stop, index) => {
      if (Math.abs(stop.dataset.x - x) < Math.abs(stops[best].dataset.x - x)) {
        best = index;
      }
    });
    return best;
  }

  function enhance(figure) {
    const drawings = [...figure.querySelectorAll(".chart__svg")].map((svg) => ({
      svg,
      stops: [...svg.querySelectorAll("[data-says]")],
      line: addLine(svg),
    }));
    const count = drawings.length ? drawings[0].stops.length : 0;
    if (count === 0) {
      return;
    }
    const readout = document.createElement("div");
    readout.className = "chart__readout";
    const previous = addButton(readout, figure.dataset.previous);
    const next = addButton(readout, figure.dataset.next);
    const says = document.createElement("p");
    says.className = "chart__says";
    says.setAttribute("role", "status");
    readout.append(says);
    figure.querySelector(".chart__scroll").after(readout);
    says.textContent = figure.dataset.hint;
    let at = count;

    function show(index) {
      at = Math.min(Math.max(index, 0), count - 1);
      for (const { svg, stops, line } of drawings) {
        moveTo(svg, line, stops[at].dataset.x);
      }
      says.textContent = drawings[0].stops[at].dataset.says;
      previous.setAttribute("aria-disabled", String(at === 0));
      next.setAttribute("aria-disabled", String(at === count - 1));
    }

    previous.addEventListener("click", () => show(at - 1));
    next.addEventListener("click", () => show(at === count ? count - 1 : at + 1));
    for (const { svg, stops } of drawings) {
      svg.addEventListener("click", (event) => show(nearest(stops, svg, event)));
    }
  }

  function start() {
    document.querySelectorAll("figure[data-chart]:not([data-ready])").forEach((figure) => {
      figure.dataset.ready = "";
      enhance(figure);
    });
  }

  start();
  document.addEventListener("htmx:afterSettle", start);
})();
