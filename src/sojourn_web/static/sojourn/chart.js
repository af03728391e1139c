// Departures and expected departures by day. The table under it says the same.
(function () {
  "use strict";
  const place = document.getElementById("chart");
  const source = document.getElementById("chart-data");
  if (!place || !source || !window.echarts) {
    return;
  }
  const data = JSON.parse(source.textContent);
  const ink = "#16324f";
  const amber = "#9a4a00";
  const font = getComputedStyle(document.getElementById("time-heading")).fontFamily;
  const chart = window.echarts.init(place, null, { renderer: "svg" });
  const short = (iso) => {
    const day = new Date(iso + "T00:00:00Z");
    return day.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  };

  function draw() {
    const narrow = place.clientWidth < 520;
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: font, fontSize: 14, color: "#333" },
      grid: { left: 4, right: narrow ? 12 : 24, top: narrow ? 66 : 44, bottom: 4, containLabel: true },
      legend: {
        top: 0,
        left: 0,
        orient: narrow ? "vertical" : "horizontal",
        itemWidth: 34,
        itemGap: narrow ? 8 : 24,
        textStyle: { fontFamily: font, fontSize: 15, color: "#222" },
      },
      tooltip: { trigger: "axis", renderMode: "richText", confine: true },
      xAxis: {
        type: "category",
        data: data.days.map(short),
        boundaryGap: true,
        axisTick: { show: false },
        axisLine: { lineStyle: { color: "#888" } },
        axisLabel: { color: "#444", fontFamily: font, interval: narrow ? 9 : 4, hideOverlap: true },
      },
      yAxis: {
        type: "value",
        minInterval: 1,
        axisLabel: { color: "#444", fontFamily: font },
        splitLine: { lineStyle: { color: "#e3e6ea" } },
      },
      series: [
        {
          name: "Departures recorded",
          type: "line",
          data: data.departures,
          symbol: "circle",
          symbolSize: 5,
          lineStyle: { width: 3, color: ink },
          itemStyle: { color: ink },
        },
        {
          name: "Expected departures",
          type: "line",
          data: data.expected,
          symbol: "none",
          lineStyle: { width: 2.5, type: "dashed", color: amber },
          itemStyle: { color: amber },
        },
      ],
    });
  }

  draw();
  window.addEventListener("resize", () => {
    chart.resize();
    draw();
  });
})();
