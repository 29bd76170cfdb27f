using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Logging;

/// <summary>
/// Who watches the trainings of a trial, wherever in a pipeline they are: it is told their losses, may end them, and says where they save
/// what they go on from.
/// </summary>
internal sealed class TrainingObserver
{
    private static readonly AsyncLocal<TrainingObserver?> s_current = new();

    private int _trainings;
    private long _tokensBefore, _tokens;

    /// <summary>Told the number of a training within the trial, from 0, how far it is, and its loss; false ends it.</summary>
    public required Func<int, int, double, bool> Report { get; init; }

    /// <summary>Ends trainings.</summary>
    public required CancellationToken CancellationToken { get; init; }

    /// <summary>Where trainings save themselves, each in a folder of its own; null for nowhere.</summary>
    public string? Folder { get; init; }

    /// <summary>Steps between checkpoints where options say nothing.</summary>
    public int CheckpointSteps { get; init; }

    /// <summary>Tokens trained on so far.</summary>
    public long Tokens => _tokensBefore + _tokens;

    /// <summary>Watches all that is trained in this flow of calls.</summary>
    public static void Watch(TrainingObserver observer) => s_current.Value = observer;

    /// <summary>Options of a training that begins, with the folder that it saves itself to, where somebody watches.</summary>
    public static T Place<T>(T options)
        where T : TrainingOptions => s_current.Value is { } observer ? (T)observer.Begin(options) : options;

    /// <summary>Passes on what a training reports.</summary>
    /// <exception cref="OperationCanceledException">It shall end.</exception>
    public static void Observe(object? report)
    {
        if (s_current.Value is not { } observer)
            return;
        observer.CancellationToken.ThrowIfCancellationRequested();
        var (step, loss) = report switch
        {
            RunProgress progress => (progress.Step, progress.JudgedLoss),
            EpochResult epoch => (epoch.Epoch, epoch.ValidationLoss),
            _ => (0, null),
        };
        if (report is TrainingProgress { Elapsed: var elapsed } training)
            observer._tokens = (long)Math.Round(training.TokensPerSecond * elapsed.TotalSeconds);
        if (step > 0 && loss is { } judged && !observer.Report(observer._trainings - 1, step, judged))
            throw new OperationCanceledException(observer.CancellationToken);
    }

    private TrainingOptions Begin(TrainingOptions options)
    {
        var number = _trainings++;
        (_tokensBefore, _tokens) = (Tokens, 0);
        if (Folder is null || options.OutputDirectory is not null)
            return options;
        options = options with
        {
            OutputDirectory = Path.Combine(Folder, $"training-{number}"), Resume = true,
            CheckpointLimit = Math.Max(1, options.CheckpointLimit),
        };
        return options switch
        {
            EpochTrainingOptions { CheckpointSteps: 0 } epochs => epochs with { CheckpointSteps = CheckpointSteps },
            AdversarialTrainingOptions { CheckpointImages: 0 } adversarial =>
                adversarial with { CheckpointImages = (long)CheckpointSteps * adversarial.BatchSize },
            _ => options,
        };
    }
}
