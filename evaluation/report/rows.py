"""What every form of the report shows: the verdict, and a row for each language and the mean."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.results import Differing, Evaluation, LanguageResult, Metrics, mean_of

#: Columns of the table of one view, for an evaluation of both sides and of PyTorch alone.
BOTH_COLUMNS = ("", "examples", "Paddle", "PyTorch", "agree", "ties", "largest difference", "smallest margin")
ALONE_COLUMNS = ("", "examples", "PyTorch")


def verdict_of(result: Evaluation) -> str:
    """One line: what was found."""
    if result.torch_only:
        return f"{result.task}: PyTorch alone, nothing was compared"
    total = sum(one.examples for one in result.results)
    agree, ties = sum(one.agree for one in result.results), sum(one.ties for one in result.results)
    if result.passed:
        tied = f", {ties:,} ties within the noise of {result.precision}" if ties else ""
        return f"{result.task}: PASSED. {agree:,} of {total:,} answers are the same{tied}"
    wrong = total - agree - ties
    if not wrong:
        return f"{result.task}: FAILED. {'; '.join(problem.text for problem in result.problems)}"
    return f"{result.task}: FAILED. {wrong:,} of {total:,} answers differ beyond the noise of {result.precision}"


def table_of(result: Evaluation, view: str) -> list[tuple[str, ...]]:
    """The header, a row for each language, and the mean where there are several."""
    results = result.of_view(view)
    rows: list[tuple[str, ...]] = [ALONE_COLUMNS if result.torch_only else BOTH_COLUMNS]
    rows += [_row(one, result.torch_only) for one in results]
    if len(results) > 1:
        mean = mean_of(results)
        total = f"{sum(one.examples for one in results):,}"
        if result.torch_only:
            rows.append(("mean", total, describe_metrics(mean["torch"])))
        else:
            counts = (f"{sum(one.agree for one in results):,}", f"{sum(one.ties for one in results):,}")
            sides = (describe_metrics(mean["paddle"]), describe_metrics(mean["torch"]))
            rows.append(("mean", total, *sides, *counts, f"{max(one.max_abs for one in results):.1e}", ""))
    return rows


def _row(one: LanguageResult, torch_only: bool) -> tuple[str, ...]:
    if torch_only or one.paddle is None:
        return (one.language, f"{one.examples:,}", describe_metrics(one.torch))
    sides = (describe_metrics(one.paddle), describe_metrics(one.torch))
    numbers = (f"{one.max_abs:.1e}", f"{one.smallest_margin:.1e}")
    return (one.language, f"{one.examples:,}", *sides, f"{one.agree:,}", f"{one.ties:,}", *numbers)


def describe_metrics(metrics: Metrics) -> str:
    """Shares in percent: a single metric by itself, several with their names."""
    if len(metrics) == 1:
        return f"{100 * next(iter(metrics.values())):.2f} %"
    return ", ".join(f"{name.replace('_', ' ')} {100 * value:.2f}" for name, value in metrics.items())


def describe_differing(one: Differing) -> str:
    """One example with two answers."""
    kind = "tie" if one.tie else "DIFFERS"
    where = f" ({one.view})" if one.view else ""
    margins = f"margins {one.paddle_margin:.1e} and {one.torch_margin:.1e}"
    return f"{kind}: {one.place}{where}: Paddle {one.paddle}, PyTorch {one.torch}, {margins}"


def differing_of(result: Evaluation) -> Sequence[Differing]:
    """Every example with two answers, those that are no ties first."""
    return sorted((one for each in result.results for one in each.differ), key=lambda one: one.tie)
