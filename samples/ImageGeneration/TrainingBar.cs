using System.Globalization;
using MLTransfer.Torch.Training.Adversarial;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ImageGeneration;

/// <summary>A progress bar with losses, images a second and the time left.</summary>
internal static class TrainingBar
{
    /// <summary>Shows the bar while <paramref name="work"/> reports to it.</summary>
    public static T Show<T>(Func<IProgress<StyleGan2Progress>, T> work) =>
        AnsiConsole.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TextColumn())
            .Start(context => work(new Reporter(context.AddTask("training", maxValue: 1))));

    private sealed class Reporter(ProgressTask task) : IProgress<StyleGan2Progress>
    {
        public void Report(StyleGan2Progress progress)
        {
            task.MaxValue = progress.TotalSteps;
            task.Value = progress.Step;
            task.Description = string.Create(CultureInfo.InvariantCulture,
                $"{progress.Images} images  generator {progress.GeneratorLoss:F2}  discriminator {progress.DiscriminatorLoss:F2}  "
                + $"augmentation {progress.AugmentationProbability:F2}  {progress.ImagesPerSecond:F0} images/s  "
                + $"{progress.Remaining:m\\:ss} left");
        }
    }

    private sealed class TextColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Markup(Markup.Escape(task.Description)) { Overflow = Overflow.Crop };
    }
}
