using MLTransfer.Torch.Training;
using Spectre.Console;

namespace Samples;

/// <summary>A progress bar with what a run reports and the time left.</summary>
/// <param name="describe">What is told of a report beside the time left.</param>
internal sealed class TrainingBar<TProgress>(Func<TProgress, string> describe) : IProgress<TProgress>
    where TProgress : RunProgress
{
    private ProgressTask? _task;

    /// <summary>Shows the bar while a run reports to this object.</summary>
    public TResult Show<TResult>(Func<TResult> run) => AnsiConsole.Progress()
        .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
        .Start(context =>
        {
            _task = context.AddTask("the first step", maxValue: 1);
            return run();
        });

    public void Report(TProgress progress)
    {
        if (_task is not { } task)
            return;
        (task.MaxValue, task.Value) = (progress.TotalSteps, progress.Step);
        task.Description = Markup.Escape($"{describe(progress)}  {TimeLeft.Format(progress.Remaining)} left");
    }
}
