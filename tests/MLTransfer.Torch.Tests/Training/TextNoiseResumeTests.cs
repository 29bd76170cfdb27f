using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>Noise is a matter of the seed and the epoch alone, so that an interrupted run reads what a run at one go does.</summary>
public sealed class TextNoiseResumeTests : IDisposable
{
    private readonly TemporaryFolder _folders = new();

    public void Dispose() => _folders.Dispose();

    [Theory]
    [InlineData("t5-tiny")]
    [InlineData("bart-tiny")]
    public void Resumed_run_on_plain_texts_ends_with_the_same_weights(string folder)
    {
        var (_, expected) = Run(folder, "whole", resume: false);
        Assert.Throws<OperationCanceledException>(() => Run(folder, "interrupted", resume: false, cancelledAt: 4));
        var (steps, actual) = Run(folder, "interrupted", resume: true);

        Assert.Equal([5, 6, 7], steps);
        Assert.All(expected, weight => Assert.True(weight.Value.AsSpan().SequenceEqual(actual[weight.Key]), weight.Key));
        using var untrained = TransformerNetwork.Load(RepositoryFiles.Data("families/" + folder));
        Assert.Contains(WeightBytes.Of(untrained), weight => !weight.Value.AsSpan().SequenceEqual(actual[weight.Key]));
    }

    private (List<int> Steps, IReadOnlyDictionary<string, byte[]> Weights) Run(string folder, string run, bool resume, int cancelledAt = 0)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var model = (EncoderDecoderModel)TransformerNetwork.Load(RepositoryFiles.Data("families/" + folder));
        model.Dropout = new DropoutProbabilities(0.1, 0.1, 0.1);
        var tokenizer = TextTokenizer.Load(RepositoryFiles.Data("families/" + folder));
        TrainingExample[] rows = [.. Enumerable.Range(0, 6).Select(row => Plain([.. Enumerable.Range(10 + 7 * row, 20 + row)]))];
        var options = new LanguageTrainingOptions
        {
            MaximumSteps = 7, // two epochs and a step
            Precision = Precision.Float32,
            BatchSize = 2,
            LearningRate = 2e-3,
            OutputDirectory = _folders[run],
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
        new LanguageModelTrainer(model, options, rows, corruption: Denoising.Of(model, tokenizer, null, null))
            .Train(progress, cancellation.Token);
        return (steps, WeightBytes.Of(model));

        static TrainingExample Plain(int[] text) => new(text, text);
    }
}
