/* Steps through the dates of a chart by two buttons or by pressing on it, and says what is known on
   each. The chart is complete without it: the same values stand as tables on the page. */
"use strict";

(function () {
  const SVG = "http://www.w3.org/2000/svg";

  function addLine(svg) {
    const line = document.createElementNS(SVG, "line");
    line.setAttribute("class", "chart__focus");
    line.setAttribute("y1", svg.dataset.top);
    line.setAttribute("y2", svg.dataset.bottom);
    line.setAttribute("visibility", "hidden");
    svg.append(line);
    return line;
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
      for (const { stops, line } of drawings) {
        line.setAttribute("x1", stops[at].dataset.x);
        line.setAttribute("x2", stops[at].dataset.x);
        line.setAttribute("visibility", "visible");
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
