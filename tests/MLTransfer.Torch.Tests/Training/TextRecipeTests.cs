using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>Borders that move, means of weights, rates by layer: what a recipe may have beyond the reference's.</summary>
[Collection(ProcessWideState.Name)]
public sealed class TextRecipeTests : IDisposable
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private const int RowLength = 12;

    private static readonly IReadOnlyList<TrainingExample> s_blocks =
        TrainingExamples.Blocks([.. Enumerable.Range(0, 8 * RowLength).Select(i => 100 + i * 7 % 60)], RowLength);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken TestCancellation => Stop;

    private static LanguageTrainingOptions Recipe { get; } = TinyRun.Options(TinyRunKind.Improving, null) with
    {
        MoveBorders = true, WeightAverageDecay = 0.8, LayerRateDecay = 0.5, GradientAccumulationSteps = 1, EvaluationSteps = 3,
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_epoch_reads_each_token_once_and_cuts_at_another_place()
    {
        IReadOnlyList<int> text = [.. Enumerable.Range(0, 60)];
        var rows = new MovingBlocks([.. TrainingExamples.Document([.. text], 12)], seed: 42);
        Assert.Equal(5, rows.Count);

        var places = new HashSet<int>();
        for (var epoch = 0; epoch < 8; epoch++)
        {
            var epochRows = Enumerable.Range(0, rows.Count).Select(row => rows.Row(epoch, row)).ToList();
            Assert.All(epochRows, row => Assert.Equal(12, row.InputIds.Length));
            int[] read = [.. epochRows.SelectMany(row => row.InputIds)];
            Assert.Equal(text, read.Order());
            Assert.All(read.Zip(read.Skip(1)), pair => Assert.Equal((pair.First + 1) % 60, pair.Second));
            places.Add(read[0] % 12);
            foreach (var row in epochRows)
            {
                foreach (var (place, label) in row.Labels.Index())
                    Assert.Equal(row.InputIds[place] == 0 && place > 0 ? TrainingExample.Ignored : row.InputIds[place], label);
            }
        }

        Assert.Equal(0, rows.Row(0, 0).InputIds[0]); // the first epoch as it was cut
        Assert.True(places.Count > 4, $"{places.Count} places");
        Assert.Equal(rows.Row(3, 2).InputIds, new MovingBlocks([.. TrainingExamples.Document([.. text], 12)], 42).Row(3, 2).InputIds);
        Assert.NotEqual(rows.Row(3, 2).InputIds, new MovingBlocks([.. TrainingExamples.Document([.. text], 12)], 43).Row(3, 2).InputIds);
    }

    [Fact]
    public void Rows_that_are_no_pieces_of_one_text_are_refused_by_their_number()
    {
        using var model = TinyRun.LoadModel();
        IReadOnlyList<TrainingExample>[] wrong =
        [
            TinyRun.Rows, TrainingExamples.Pack(TinyRun.Rows, 40), [s_blocks[0], TrainingExamples.Completion([1, 2], [3, 4], RowLength)],
        ];
        foreach (var rows in wrong)
        {
            var exception = Assert.Throws<ArgumentException>(() => new LanguageModelTrainer(model, Recipe, rows));
            Assert.Matches("MoveBorders.* row [01] ", exception.Message);
        }
    }

    [Fact]
    public void The_model_ends_with_the_mean_of_the_weights_of_all_steps_and_is_judged_by_it()
    {
        var options = Recipe with { MoveBorders = false, LayerRateDecay = 1, KeepBestModel = false };
        using var model = TinyRun.LoadModel();
        var parameters = model.TrainableParameters().ToList();
        var means = parameters.Select(p => p.Parameter.detach().clone()).ToList();
        using var plain = TinyRun.LoadModel();
        var steps = plain.TrainableParameters().ToList();
        new LanguageModelTrainer(plain, options with { WeightAverageDecay = 0 }, s_blocks).Train(
            new ProgressCallback(report =>
            {
                var share = Math.Min(0.8, (1.0 + report.Step) / (10.0 + report.Step));
                foreach (var (mean, (_, parameter)) in means.Zip(steps))
                {
                    using var gradients = no_grad();
                    if (report.Loss is not null)
                        mean.mul_(share).add_(parameter, alpha: 1 - share);
                }
            }), TestCancellation);

        var result = new LanguageModelTrainer(model, options, s_blocks, s_blocks).Train(cancellationToken: TestCancellation);

        foreach (var (mean, (name, parameter)) in means.Zip(parameters))
            Assert.True(allclose(mean, parameter, rtol: 1e-4, atol: 1e-6), name);
        Assert.False(allclose(means[0], steps[0].Parameter, rtol: 1e-4, atol: 1e-6));
        Assert.Equal(Evaluator.Evaluate(model, s_blocks, 8, Stop).Loss, result.ValidationLoss!.Value, 1e-6);
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    public void Being_judged_by_means_does_not_change_what_the_steps_do(Precision precision)
    {
        var options = Recipe with { Precision = precision, KeepBestModel = false };
        using var often = TinyRun.LoadModel();
        new LanguageModelTrainer(often, options with { EvaluationSteps = 1 }, s_blocks, s_blocks)
            .Train(cancellationToken: TestCancellation);
        using var never = TinyRun.LoadModel();
        new LanguageModelTrainer(never, options, s_blocks).Train(cancellationToken: TestCancellation);
        WeightBytes.AssertEqual(WeightBytes.Of(often), never);
    }

    [Fact]
    public void A_block_learns_slower_than_the_one_behind_it()
    {
        var options = Recipe with
        {
            MoveBorders = false, WeightAverageDecay = 0, LayerRateDecay = 0.5, MaximumSteps = 1, WarmupSteps = 0, WeightDecay = 0,
            MaximumGradientNorm = 0, KeepBestModel = false,
        };
        var (alike, decayed) = (Change(options with { LayerRateDecay = 1 }), Change(options));
        foreach (var (name, factor) in ((string, double)[])
            [("transformer.ln_f.weight", 1), ("transformer.h.1.mlp.c_fc.weight", 0.5), ("transformer.h.0.attn.c_attn.weight", 0.25),
             ("transformer.wte.weight", 0.125), ("transformer.wpe.weight", 0.125)])
            Assert.Equal(factor, decayed[name] / alike[name], 1e-3);

        static Dictionary<string, double> Change(LanguageTrainingOptions options)
        {
            using var model = TinyRun.LoadModel();
            var before = model.TrainableParameters().ToDictionary(p => p.Name, p => p.Parameter.detach().clone());
            new LanguageModelTrainer(model, options, s_blocks).Train(cancellationToken: TestCancellation);
            return model.TrainableParameters().ToDictionary(
                p => p.Name, p => (p.Parameter.detach() - before[p.Name]).abs().max().item<float>() * 1.0);
        }
    }

    [Theory]
    [InlineData(TinyRunKind.Improving, 7)] // between two checkpoints
    [InlineData(TinyRunKind.Improving, 13)]
    [InlineData(TinyRunKind.Adapters, 6)]
    internal void A_run_that_was_cancelled_goes_on_to_the_same_bits(TinyRunKind kind, int cancelledAt)
    {
        var expected = Run(kind, _folder["whole"], resume: false, cancelledAt: null);
        Assert.Throws<OperationCanceledException>(() => Run(kind, _folder["run"], resume: false, cancelledAt));
        var actual = Run(kind, _folder["run"], resume: true, cancelledAt: null);
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.All(expected, weight => Assert.True(weight.Value.AsSpan().SequenceEqual(actual[weight.Key]), weight.Key));
    }

    [Fact]
    public void Switched_off_they_are_no_part_of_what_a_run_is_known_by()
    {
        var names = (string[])[nameof(Recipe.MoveBorders), nameof(Recipe.WeightAverageDecay), nameof(Recipe.LayerRateDecay)];
        Assert.Subset(new LanguageTrainingOptions().IrrelevantToWeights.ToHashSet(), names.ToHashSet());
        Assert.Empty(Recipe.IrrelevantToWeights.Intersect(names));
        foreach (var options in (LanguageTrainingOptions[])
            [Recipe with { WeightAverageDecay = 1 }, Recipe with { LayerRateDecay = 0 }, Recipe with { LayerRateDecay = 1.5 }])
        {
            using var model = TinyRun.LoadModel();
            Assert.Contains(
                "Decay", Assert.ThrowsAny<ArgumentException>(() => new LanguageModelTrainer(model, options, s_blocks)).Message,
                StringComparison.Ordinal);
        }
    }

    private static IReadOnlyDictionary<string, byte[]> Run(TinyRunKind kind, string folder, bool resume, int? cancelledAt)
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        using var model = TinyRun.CreateModel(kind);
        var options = Recipe with { OutputDirectory = folder, CheckpointSteps = 3, Resume = resume };
        new LanguageModelTrainer(model, options, s_blocks, s_blocks).Train(
            new ProgressCallback(report =>
            {
                if (report.Step == cancelledAt)
                    source.Cancel();
            }), source.Token);
        return WeightBytes.Of(model);
    }
}
