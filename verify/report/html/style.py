"""How report.html looks: on a screen, light or dark, and on paper."""

from __future__ import annotations

_LIGHT = """
  --paper: #ffffff; --ink: #1c2024; --quiet: #5d6670; --rule: #d9dee3; --tint: #f5f7f9;
  --good: #14693a; --good-tint: #e6f4ec; --bad: #b3261e; --bad-tint: #fdecea; --partly: #8a5300; --partly-tint: #fff4e0;
  --state: #1f5fbf; --inside: #7a8ba0; --hidden-row: #8a5bb5;
"""
_DARK = """
  --paper: #15181c; --ink: #e6e9ec; --quiet: #9aa5b1; --rule: #333a42; --tint: #1d2228;
  --good: #6fd39b; --good-tint: #14301f; --bad: #ff8a80; --bad-tint: #3a1a18; --partly: #ffc46b; --partly-tint: #352710;
  --state: #7db0ff; --inside: #8795a6; --hidden-row: #c49bea;
"""

STYLE = (
    f":root {{ color-scheme: light dark; {_LIGHT} }}\n"
    f"@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}\n"
    """
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1040px; padding: 28px 24px 48px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 15px; font-weight: 600; color: var(--quiet); margin: 0 0 10px; }
h2 { font-size: 18px; margin: 34px 0 10px; }
h3 { font-size: 15px; margin: 18px 0 6px; }
p { margin: 6px 0; }
code, .mono { font: 13px/1.45 ui-monospace, SFMono-Regular, Consolas, "DejaVu Sans Mono", monospace; }
.quiet { color: var(--quiet); }
.verdict { border-radius: 8px; padding: 16px 20px; border-left: 8px solid; }
.verdict strong { display: block; font-size: 26px; line-height: 1.25; }
.verdict.good { background: var(--good-tint); border-color: var(--good); }
.verdict.bad { background: var(--bad-tint); border-color: var(--bad); }
.verdict.partly { background: var(--partly-tint); border-color: var(--partly); }
.good strong, .ok { color: var(--good); } .bad strong, .failed-word { color: var(--bad); font-weight: 600; }
.partly strong, .unseen { color: var(--partly); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin: 16px 0 0; }
.card { border: 1px solid var(--rule); border-radius: 8px; padding: 10px 14px; }
.card b { display: block; font-size: 20px; line-height: 1.3; }
.card .name { color: var(--quiet); font-size: 13px; }
.card .word { font-size: 13px; font-weight: 600; float: right; }
.margin { border: 1px solid var(--rule); border-radius: 8px; padding: 10px 14px; margin: 12px 0 0;
  overflow-wrap: anywhere; }
.margin.hidden { border-color: var(--partly); background: var(--partly-tint); }
figure { margin: 0; }
.first-difference { border: 1px solid var(--bad); border-radius: 8px; padding: 12px 16px; margin-top: 16px; }
.first-difference .look { font-size: 17px; font-weight: 600; overflow-wrap: anywhere; }
.problems { padding-left: 0; list-style: none; margin: 8px 0; }
.problems li { margin: 6px 0; overflow-wrap: anywhere; white-space: pre-wrap; }
.code { display: inline-block; background: var(--bad-tint); color: var(--bad); border-radius: 4px; padding: 0 6px;
  font-weight: 600; font-size: 13px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; font-size: 13px; color: var(--quiet); border-bottom: 1px solid var(--rule);
  padding: 4px 12px 4px 0; }
td { border-bottom: 1px solid var(--rule); padding: 5px 12px 5px 0; vertical-align: top; overflow-wrap: anywhere; }
td:first-child, th:first-child { padding-left: 6px; min-width: 13.5em; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.short { white-space: nowrap; overflow-wrap: normal; }
.scroll { overflow-x: auto; } .scroll + .scroll { margin-top: 14px; }
@media (max-width: 720px) { .scroll table { min-width: 680px; } .plot { min-width: 680px; }
  figure { overflow-x: auto; } }
tr.wrong td { background: var(--bad-tint); }
.bar { display: inline-block; width: 90px; height: 8px; background: var(--rule); border-radius: 4px; overflow: hidden;
  vertical-align: middle; margin-right: 8px; }
.bar span { display: block; height: 100%; background: var(--state); }
.plot { width: 100%; height: auto; display: block; margin-top: 6px; }
.plot text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: var(--quiet); }
.plot .grid { stroke: var(--rule); stroke-width: 1; }
.plot .limit { stroke: var(--bad); stroke-width: 2; }
.plot .limit.hidden-row { stroke: var(--hidden-row); stroke-dasharray: 4 3; stroke-width: 1.5; }
.plot polyline { fill: none; stroke: var(--state); stroke-width: 1.5; }
.plot circle.state { fill: var(--state); } .plot circle.inside { fill: var(--inside); }
.plot path.hidden-row { fill: var(--hidden-row); }
.plot path.failed { stroke: var(--bad); stroke-width: 2.5; fill: none; }
.plot line.first { stroke: var(--bad); stroke-width: 1; stroke-dasharray: 3 3; }
.plot text.first { fill: var(--bad); font-weight: 600; }
details summary { cursor: pointer; color: var(--quiet); padding: 4px 0; }
footer { margin-top: 36px; color: var(--quiet); font-size: 13px; }
"""
    f"@media print {{ :root {{ color-scheme: light; {_LIGHT} }}\n"
    """
  @page { margin: 14mm; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  code, .mono { font-size: 8pt; } h2, h3, h2 + p { break-after: avoid; }
  tr, .card, .verdict, .first-difference, figure, .problems li { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll, figure { overflow: visible; } .scroll table, .plot { min-width: 0; }
}
"""
)
