using MLTransfer.Torch.Training;
using Spectre.Console;

namespace Samples;

/// <summary>A progress bar with the time left and what a run reports.</summary>
/// <param name="describe">What is told of a report after the time left; a narrow window cuts it off.</param>
internal sealed class TrainingBar<TProgress>(Func<TProgress, string> describe) : IProgress<TProgress>
    where TProgress : RunProgress
{
    private ProgressTask? _task;

    /// <summary>Shows the bar while a run reports to this object.</summary>
    public TResult Show<TResult>(Func<TResult> run) => AnsiConsole.Progress()
        .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
        .Start(context =>
        {
            _task = context.AddTask("starting", maxValue: 1);
            return run();
        });

    public void Report(TProgress progress)
    {
        if (_task is not { } task)
            return;
        (task.MaxValue, task.Value) = (progress.TotalSteps, progress.Step);
        task.Description = Markup.Escape($"{TimeLeft.Format(progress.Remaining)} left  {describe(progress)}");
    }
}
