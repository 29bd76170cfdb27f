using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Tests.Training;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Contract;

/// <summary>What every family that <see cref="LanguageModelTrainer"/> trains promises.</summary>
[Collection(ProcessWideState.Name)]
public sealed class FamilyResumeTests : IDisposable
{
    private const int Steps = 5;

    private readonly TemporaryFolder _folders = new();

    public static IEnumerable<TheoryDataRow<string>> Families =>
        from family in FamilyRegistry.All
        where FamilyFolders.IsTextDecoder(family.ModelType)
        select new TheoryDataRow<string>(family.ModelType);

    public void Dispose() => _folders.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void A_cancelled_and_resumed_run_ends_with_the_same_bits(string modelType)
    {
        var (_, expected) = Run(modelType, "whole", resume: false);
        Assert.Throws<OperationCanceledException>(() => Run(modelType, "interrupted", resume: false, cancelledAt: 3));
        var (steps, actual) = Run(modelType, "interrupted", resume: true);

        Assert.Equal([3, 4, 5], steps);
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.All(expected, weight => Assert.True(weight.Value.AsSpan().SequenceEqual(actual[weight.Key]), weight.Key));
        using var untrained = (CausalLanguageModel)FamilyFolders.LoadFamily(modelType);
        Assert.Contains(WeightBytes.Of(untrained), weight => !weight.Value.AsSpan().SequenceEqual(actual[weight.Key]));
    }

    /// <summary>Rows of several lengths in an order that is drawn, with dropout and accumulation.</summary>
    private (List<int> Steps, IReadOnlyDictionary<string, byte[]> Weights) Run(
        string modelType, string folder, bool resume, int cancelledAt = 0)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var model = (CausalLanguageModel)FamilyFolders.LoadFamily(modelType);
        model.Dropout = new DropoutProbabilities(0.1, 0.1, 0.1);
        var options = new LanguageTrainingOptions
        {
            MaximumSteps = Steps,
            Precision = Precision.Float32,
            BatchSize = 2,
            GradientAccumulationSteps = 2,
            LearningRate = 2e-3,
            OutputDirectory = _folders[folder],
            CheckpointSteps = 2,
            Resume = resume,
        };
        var steps = new List<int>();
        var progress = new ProgressCallback(report =>
        {
            steps.Add(report.Step);
            if (report.Step == cancelledAt)
                cancellation.Cancel();
        });
        new LanguageModelTrainer(model, options, TinyRun.Rows).Train(progress, cancellation.Token);
        return (steps, WeightBytes.Of(model));
    }
}
