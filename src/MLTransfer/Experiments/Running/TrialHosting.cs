using System.Diagnostics;
using static MLTransfer.Experiments.AutoMLExperiment;

namespace MLTransfer.Experiments.Running;

/// <summary>Where the trials of an experiment run, and where they leave what they make.</summary>
/// <param name="Experiment">The experiment's number in the program, from 1.</param>
/// <param name="Processes">Trials at a time in processes of their own; 0 for one after another in this one.</param>
/// <param name="Folder">Of the journal and of trials; null for none.</param>
/// <param name="CheckpointSteps">Steps between checkpoints of trainings whose options say nothing.</param>
internal sealed record TrialHosting(int Experiment, int Processes, string? Folder, int CheckpointSteps)
{
    /// <summary>Why trials run in this process where nobody asked for it; null where they do not.</summary>
    public string? Obstacle { get; private init; }

    /// <summary>
    /// How long the program may take to come to the experiment before trials run in this process instead; null for as long as it takes,
    /// where processes were asked for.
    /// </summary>
    public TimeSpan? Patience { get; private init; }

    /// <summary>Decides. To be called before anything is awaited: it looks at who calls.</summary>
    /// <exception cref="InvalidOperationException">Processes were asked for, and this program cannot be started anew.</exception>
    public static TrialHosting Of(AutoMLExperimentSettings settings, int experiment)
    {
        if (TrialPipe.Served is { } served)
            return new TrialHosting(experiment, 1, FolderInTrialProcess(settings, experiment, served.Experiment), settings.CheckpointSteps);
        var obstacle = settings.TrialProcesses == 0 ? null : ProgramStart.Obstacle();
        if (settings.TrialProcesses is > 0 && obstacle is not null)
        {
            throw new InvalidOperationException(
                $"Trials cannot have processes of their own: {obstacle}. Leave out {nameof(AutoMLExperiment.SetTrialProcesses)}, or give "
                + "it 0.");
        }

        if (settings.TrialProcesses is null && obstacle is null && !ProgramStart.IsCalledFromMain())
        {
            obstacle = $"the experiment is not run by Main itself; {nameof(AutoMLExperiment.SetTrialProcesses)} says that the program "
                + "comes to it anyway";
        }

        var processes = settings.TrialProcesses ?? (obstacle is null ? 1 : 0);
        var hosting = settings.CheckpointFolder is null && processes > 0
            ? new TrialHosting(experiment, processes, TemporaryExperiments.FolderOf(experiment), CheckpointSteps: 0)
            : new TrialHosting(experiment, processes, settings.CheckpointFolder, settings.CheckpointSteps);
        return hosting with { Obstacle = obstacle, Patience = settings.TrialProcesses is null ? LongestWay() : null };
    }

    /// <summary>Opens the journal; null where there is none.</summary>
    public TrialJournal? OpenJournal() => Folder is null ? null : new TrialJournal(Folder, isShared: TrialPipe.Served is not null);

    /// <summary>A generous multiple of what this process took to come here.</summary>
    private static TimeSpan LongestWay()
    {
        using var process = Process.GetCurrentProcess();
        return TimeSpan.FromMinutes(1) + 3 * (DateTime.Now - process.StartTime);
    }

    private static string FolderInTrialProcess(AutoMLExperimentSettings settings, int experiment, int served)
    {
        var folder = settings.CheckpointFolder ?? TemporaryExperiments.FolderOf(experiment);
        return experiment <= served && File.Exists(Path.Combine(folder, TrialJournal.FileName)) ? folder
            : throw new InvalidOperationException(
                $"This process was started for a trial of experiment {served} of its program, and came to another one, "
                + $"{experiment}. Give experiments whose trials run in one process a folder ({nameof(AutoMLExperiment.SetCheckpoint)}), so "
                + "that they need not run again.");
    }
}
