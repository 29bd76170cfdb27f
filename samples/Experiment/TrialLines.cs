using MLTransfer.Experiments;
using Spectre.Console;

namespace Experiment;

/// <summary>Tells of each trial in a line.</summary>
internal sealed class TrialLines : IMonitor
{
    public void ReportRunningTrial(TrialSettings settings) => Write("grey", $"trial {settings.TrialId} begins: {settings.Parameter}");

    public void ReportCompletedTrial(TrialResult result) => Write(
        "default",
        $"trial {result.TrialSettings.TrialId} {(result.State == TrialState.Pruned ? "was ended early" : "is done")}: "
        + $"loss {result.Loss:F4}, {result.Tokens:N0} tokens in {result.DurationInMilliseconds / 1000:F0} s, "
        + $"{result.PeakMemoryInMegaByte:F0} MB");

    public void ReportBestTrial(TrialResult result) => Write("green", $"trial {result.TrialSettings.TrialId} is the best so far");

    public void ReportFailTrial(TrialSettings settings, Exception? exception = null) =>
        Write("red", $"trial {settings.TrialId} failed: {exception?.Message}");

    private static void Write(string colour, string text) => AnsiConsole.MarkupLine($"[{colour}]{Markup.Escape(text)}[/]");
}
