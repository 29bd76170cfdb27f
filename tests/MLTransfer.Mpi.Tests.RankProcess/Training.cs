using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using MLTransfer.Torch.Collectives;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Mpi.Tests.RankProcess;

/// <summary>A user's program: the same Fit on every rank.</summary>
internal static class Training
{
    private const int RowsPerStep = 8;

    private static readonly string[] s_subjects = ["The dog", "A small red bird", "My old friend from the north", "She"];
    private static readonly string[] s_verbs = ["sleeps", "sings a long song of the sea", "writes", "walks home slowly"];

    /// <param name="ranks">Null for a run alone.</param>
    /// <param name="arguments">
    /// Folder, base model, then any of: dropout; resume; how rank 1 ends after step 3 (killed, thrown, cancelled, caught).
    /// </param>
    public static int Run(ICollective? ranks, string[] arguments)
    {
        var (folder, options) = (arguments[0], arguments[2..]);
        var ml = new MLContext(seed: 1);
        var data = ml.Data.LoadFromEnumerable(s_subjects.SelectMany(
            subject => s_verbs, (subject, verb) => new Row { Text = $"{subject} {verb}." }).Take(13)); // the last step is short
        using var cancellation = new CancellationTokenSource();
        var isRank1 = ranks?.Rank == 1;
        var estimator = ml.Transforms.Text.FineTuneTextGenerator("Out", "Text", options: new TextGeneratorOptions
        {
            PretrainedModel = arguments[1],
            Dropout = options.Contains("dropout") ? 0.1 : 0,
            ValidationFraction = 0.2, RowPacking = RowPacking.None,
            CancellationToken = cancellation.Token,
            Progress = new Callback(report =>
            {
                if (isRank1 && report.Step == 3)
                    End(options, cancellation);
            }),
            Training = new()
            {
                Collective = ranks,
                BatchSize = RowsPerStep / (ranks?.Size ?? 1),
                MaximumSteps = 6,
                Precision = Precision.Float32,
                LearningRate = 1e-3,
                AdamEpsilon = 1e-6,
                OutputDirectory = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"run-{ranks?.Rank ?? 0}")),
                CheckpointSteps = 2,
                EvaluationSteps = 2,
                Resume = options.Contains("resume"),
            },
        });
        try
        {
            using var model = estimator.Fit(data);
            ml.Generation.SaveModelFolder(model, Path.Combine(folder, $"model-{ranks?.Rank ?? 0}"));
            return 0;
        }
        catch (InvalidTimeZoneException) when (options.Contains("caught"))
        {
            return 7;
        }
    }

    private static void End(string[] options, CancellationTokenSource cancellation)
    {
        if (options.Contains("killed"))
            Process.GetCurrentProcess().Kill();
        if (options.Contains("cancelled"))
            cancellation.Cancel();
        if (options.Contains("caught"))
            throw new InvalidTimeZoneException("thrown on rank 1");
    }

    private sealed class Callback(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    private sealed class Row
    {
        public string Text { get; set; } = "";
    }
}
