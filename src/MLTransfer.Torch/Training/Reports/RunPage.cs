using System.Globalization;
using System.Text;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>
/// <c>run.html</c>: how far a run is, its curves, its answers and its options, whatever it trains. The page is one file that opens from
/// disk: no script, nothing from elsewhere, pictures and sounds inside.
/// </summary>
internal static class RunPage
{
    /// <summary>The most evaluations whose answers are shown; in between some are left out.</summary>
    private const int ShownSteps = 24;

    /// <summary>The most numbers of an output that are shown.</summary>
    private const int ShownNumbers = 12;

    private const string Head = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:">
        <meta name="viewport" content="width=device-width">
        <style>
        body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5em auto; max-width: 1200px; padding: 0 1em; color: #222; }
        h1 { font-size: 1.4em; } h2 { font-size: 1.15em; margin-top: 1.6em; } h3 { font-size: 1em; margin: 1.2em 0 0.3em; }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)); gap: 1em; }
        figure { margin: 0; } figcaption { font-size: 0.85em; color: #555; }
        svg { width: 100%; } svg text { font-size: 12px; fill: currentColor; } svg .grid { stroke: #ddd; }
        .media { display: flex; flex-wrap: wrap; gap: 0.7em; } .media img { max-width: 256px; min-width: 64px; image-rendering: pixelated; }
        .media img.sound { max-width: 400px; image-rendering: auto; }
        table { border-collapse: collapse; }
        td, th { border-top: 1px solid #ddd; padding: 0.25em 0.7em; text-align: left; vertical-align: top; }
        td.text, h3, .wrap { white-space: pre-wrap; overflow-wrap: anywhere; } .usual { color: #888; }
        progress { width: 100%; }
        </style>

        """;

    /// <summary>The whole page.</summary>
    /// <param name="name">The run's, for the heading.</param>
    /// <param name="status">How far it is.</param>
    /// <param name="curves">Its numbers.</param>
    /// <param name="answers">Its answers, in the order of steps.</param>
    /// <param name="options">Its options.</param>
    public static string Create(
        string name, RunStatus status, RunCurves curves, IReadOnlyList<(int Step, SampleAnswer Answer)> answers,
        IReadOnlyList<OptionValue> options)
    {
        var page = new StringBuilder(Head);
        if (status.End is null)
            page.Append("<meta http-equiv=\"refresh\" content=\"30\">\n");
        page.Append($"<title>{PageText.Escape(name)}</title>\n</head>\n<body>\n<h1>{PageText.Escape(name)}</h1>\n");
        AddStatus(page, status);
        AddCurves(page, curves);
        AddAnswers(page, answers);
        AddOptions(page, options);
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static void AddStatus(StringBuilder page, RunStatus status)
    {
        page.Append(CultureInfo.InvariantCulture, $"<p>Step {status.Step} of {status.TotalSteps}, {Time(status.Elapsed)} so far");
        if (status.End is { } end)
            page.Append($". <span class=\"wrap\">{PageText.Escape(end)}</span></p>\n");
        else
            page.Append(status.Remaining is { } left ? $", about {Time(left)} left.</p>\n" : ".</p>\n");
        page.Append(
            CultureInfo.InvariantCulture, $"<progress value=\"{status.Step}\" max=\"{Math.Max(1, status.TotalSteps)}\"></progress>\n");
    }

    private static void AddCurves(StringBuilder page, RunCurves curves)
    {
        page.Append("<h2>Curves</h2>\n<div class=\"charts\">\n");
        foreach (var chart in curves.Charts)
        {
            page.Append($"<figure>\n{CurveChart.ToSvg([.. chart])}\n");
            page.Append($"<figcaption>{PageText.Escape(chart.Key)} by step</figcaption>\n</figure>\n");
        }

        page.Append("</div>\n");
    }

    private static void AddAnswers(StringBuilder page, IReadOnlyList<(int Step, SampleAnswer Answer)> answers)
    {
        if (answers.Count == 0)
            return;
        var steps = answers.Select(entry => entry.Step).Distinct().ToList();
        var shown = steps.Count <= ShownSteps
            ? steps.ToHashSet()
            : Enumerable.Range(0, ShownSteps).Select(i => steps[i * (steps.Count - 1) / (ShownSteps - 1)]).ToHashSet();
        page.Append("<h2>Answers</h2>\n");
        if (shown.Count < steps.Count)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<p>{shown.Count} of {steps.Count} evaluations are shown; answers.jsonl has all of them.</p>\n");
        }

        foreach (var input in answers.GroupBy(entry => entry.Answer.Input))
        {
            page.Append($"<h3>{(input.Key.Length == 0 ? "(an empty prompt)" : PageText.Escape(input.Key))}</h3>\n");
            foreach (var kind in input.Where(entry => shown.Contains(entry.Step)).GroupBy(entry => entry.Answer.GetType()))
                AddAnswers(page, [.. kind], kind.Key);
        }
    }

    private static void AddAnswers(StringBuilder page, IReadOnlyList<(int Step, SampleAnswer Answer)> answers, Type kind)
    {
        var isMedia = kind == typeof(MediaAnswer);
        page.Append(isMedia ? "<div class=\"media\">\n" : "<table>\n");
        foreach (var (step, answer) in answers)
            page.Append(ToElement(step, answer)).Append('\n');
        if (answers[^1].Answer is NumbersAnswer last)
            page.Append($"<tr><th>expected</th>{Cells(last.Expected)}</tr>\n");
        page.Append(isMedia ? "</div>\n" : "</table>\n");
    }

    private static string ToElement(int step, SampleAnswer answer) => answer switch
    {
        TextAnswer text => $"<tr><th>{step}</th><td class=\"text\">{PageText.Escape(text.Text)}</td></tr>",
        NumbersAnswer numbers => $"<tr><th>{step}</th>{Cells(numbers.Numbers)}</tr>",
        MediaAnswer media => $"<figure>{Medium(media)}<figcaption>step {step}</figcaption></figure>",
        _ => throw new ArgumentException($"A page cannot show a {answer.GetType().Name}.", nameof(answer)),
    };

    private static string Medium(MediaAnswer media)
    {
        var source = $"src=\"data:{PageText.Escape(media.MediaType)};base64,{Convert.ToBase64String(media.Content)}\"";
        if (media.MediaType == MediaAnswer.Picture)
            return $"<img alt=\"\" {source}>";
        var player = $"<audio controls {source}></audio>";
        return media.Plot is null
            ? player
            : "<img class=\"sound\" alt=\"waveform and spectrogram\" src=\"data:image/png;base64,"
                + $"{Convert.ToBase64String(media.Plot)}\"><br>{player}";
    }

    private static string Cells(IReadOnlyList<float> numbers)
    {
        var cells = numbers.Take(ShownNumbers).Select(number => $"<td>{number.ToString("G4", CultureInfo.InvariantCulture)}</td>");
        return string.Concat(cells) + (numbers.Count > ShownNumbers ? $"<td>and {numbers.Count - ShownNumbers} more</td>" : "");
    }

    private static void AddOptions(StringBuilder page, IReadOnlyList<OptionValue> options)
    {
        page.Append("<h2>Options</h2>\n<details>\n<summary>Those in grey are defaults.</summary>\n<table>\n");
        foreach (var option in options.OrderBy(option => option.IsDefault))
        {
            var style = option.IsDefault ? " class=\"usual\"" : "";
            page.Append(
                $"<tr{style}><th>{PageText.Escape(option.Name)}</th><td class=\"text\">{PageText.Escape(option.Value)}</td></tr>\n");
        }

        page.Append("</table>\n</details>\n");
    }

    private static string Time(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s");
}
