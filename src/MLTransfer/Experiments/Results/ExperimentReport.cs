using MLTransfer.Experiments.Results;
using MLTransfer.Experiments.Spaces;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Experiments;

/// <summary>What an experiment found: the trade-offs, what matters, a table, a page.</summary>
public sealed class ExperimentReport
{
    /// <summary>The names of the files that <see cref="Save"/> writes.</summary>
    public const string PageFile = "experiment.html", TableFile = "trials.csv";

    private readonly FlatSpace _space;

    /// <param name="searchSpace">What was searched.</param>
    /// <param name="trials">The trials that ended.</param>
    public ExperimentReport(SearchSpace searchSpace, IReadOnlyList<TrialResult> trials)
    {
        ArgumentNullException.ThrowIfNull(searchSpace);
        ArgumentNullException.ThrowIfNull(trials);
        (_space, Trials) = (new FlatSpace(searchSpace), trials);
        Importances = ParameterImportance.Of(searchSpace, trials);
        var completed = trials.Where(trial => trial.State == TrialState.Completed).ToList();
        var hasSizes = completed.Count > 0 && completed.TrueForAll(trial => trial.ModelSize is not null);
        Objectives = hasSizes ? ["loss", "seconds", "bytes"] : ["loss", "seconds"];
        double[][] points =
        [
            .. completed.Select(trial => hasSizes
                ? new[] { trial.Loss, trial.DurationInMilliseconds / 1000, trial.ModelSize!.Value }
                : [trial.Loss, trial.DurationInMilliseconds / 1000]),
        ];
        Front = [.. ParetoFront.Of(points).Select(i => completed[i]).OrderBy(trial => trial.Loss)];
        Best = Front.Count > 0 ? Front[0] : null;
        if (points.Length > 0)
            Hypervolume = ParetoFront.Hypervolume(points, [.. Objectives.Select((_, i) => points.Max(point => point[i]))]);
    }

    /// <summary>The trials that ended.</summary>
    public IReadOnlyList<TrialResult> Trials { get; }

    /// <summary>The completed trial with the smallest loss; null where there is none.</summary>
    public TrialResult? Best { get; }

    /// <summary>What <see cref="Front"/> trades off: loss, seconds and, where they are known of all, bytes.</summary>
    public IReadOnlyList<string> Objectives { get; }

    /// <summary>The completed trials that no other is better than in everything, those with the smallest loss first.</summary>
    public IReadOnlyList<TrialResult> Front { get; }

    /// <summary>The volume of <see cref="Objectives"/> between the front and the worst of each among the completed trials.</summary>
    public double Hypervolume { get; }

    /// <summary>
    /// The share of each option in what makes losses different, the largest first; see <see cref="ParameterImportance"/>.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, double>> Importances { get; }

    /// <summary>A table for a console: a line a trial, the best marked by <c>*</c>, others of the front by <c>+</c>.</summary>
    public string ToTable() => TrialTable.ToText(_space, this);

    /// <summary>A line a trial, with all digits, for other programs.</summary>
    public string ToCsv() => TrialTable.ToCsv(_space, this);

    /// <summary>
    /// A page in one file, which opens from disk without a script or anything from elsewhere: the losses, all options side by side
    /// (parallel coordinates), curves, importances, the table.
    /// </summary>
    public string ToHtml() => ExperimentPage.Create(_space, this);

    /// <summary>Writes <c>experiment.html</c> and <c>trials.csv</c> into a folder, replacing what is there.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void Save(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        Directory.CreateDirectory(folder);
        AtomicFile.WriteAllText(Path.Combine(folder, PageFile), ToHtml());
        AtomicFile.WriteAllText(Path.Combine(folder, TableFile), ToCsv());
    }
}
