using System.Globalization;
using MLTransfer.Torch.Training.Language;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace TextGeneration;

/// <summary>A progress bar with loss, tokens a second and the time left.</summary>
internal static class TrainingBar
{
    /// <summary>Shows the bar while <paramref name="work"/> reports to it.</summary>
    public static T Show<T>(Func<IProgress<TrainingProgress>, T> work) =>
        AnsiConsole.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TextColumn())
            .Start(context => work(new Reporter(context.AddTask("training", maxValue: 1))));

    private sealed class Reporter(ProgressTask task) : IProgress<TrainingProgress>
    {
        private double? _validationLoss;

        public void Report(TrainingProgress progress)
        {
            _validationLoss = progress.ValidationLoss ?? _validationLoss;
            task.MaxValue = progress.TotalSteps;
            task.Value = progress.Step;
            task.Description = string.Create(CultureInfo.InvariantCulture,
                $"step {progress.Step}/{progress.TotalSteps}  loss {progress.Loss:F3}  held-out {_validationLoss:F3}  "
                    + $"{progress.TokensPerSecond:F0} tokens/s  {progress.Remaining:m\\:ss} left");
        }
    }

    private sealed class TextColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Markup(Markup.Escape(task.Description)) { Overflow = Overflow.Crop };
    }
}
