using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Tests.Networks.Images;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using MLTransfer.Torch.Tests.Training.Optimizers;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Images;

public sealed class TextToImageTrainerTests : IDisposable
{
    private static readonly (string Caption, int Code)[] s_colors = [("red", 1), ("green", 2), ("blue", 4), ("bright", 7)];

    private readonly TinyPictures _model = TinyPictures.Create();
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static TextToImageTrainingOptions Options => new()
    {
        Precision = Precision.Float32, LearningRate = 0.02, NumberOfEpochs = 3, BatchSize = 4, ConditionDropout = 0.3,
    };

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false, OptimizerAlgorithm.AdamW)]
    [InlineData(true, OptimizerAlgorithm.AdamW)]
    [InlineData(true, OptimizerAlgorithm.Muon)]
    [InlineData(false, OptimizerAlgorithm.ScheduleFreeAdamW)]
    public void A_resumed_run_ends_with_the_same_weights(bool hasAdapters, OptimizerAlgorithm optimizer)
    {
        var options = Options.With(optimizer) with { CheckpointSteps = 2, OutputDirectory = _folder["run"], GradientAccumulationSteps = 1 };
        using var whole = Model(hasAdapters);
        Trainer(whole, Options.With(optimizer)).Train(cancellationToken: Token);
        using (var interrupted = Model(hasAdapters))
        {
            using var source = new CancellationTokenSource();
            Assert.ThrowsAny<OperationCanceledException>(() => Trainer(interrupted, options).Train(
                new Callback(p => { if (p.Step == 3) source.Cancel(); }), source.Token));
        }

        using var resumed = Model(hasAdapters);
        var result = Trainer(resumed, options with { Resume = true }).Train(cancellationToken: Token);
        Assert.Equal(6, result.Steps);
        Assert.Equal(Bytes(whole), Bytes(resumed));
        using var untrained = Model(hasAdapters);
        Assert.NotEqual(Bytes(untrained), Bytes(resumed));
    }

    [Fact]
    public void Captions_are_learned_the_codec_stays_and_the_best_weights_are_kept()
    {
        var codec = _model.Codec.ComputeFingerprint();
        var result = Trainer(
            _model, Options with { NumberOfEpochs = 40, ConditionDropout = 0.1, EvaluationSteps = 10 }, Examples()).Train(
            cancellationToken: Token);

        Assert.Equal(codec, _model.Codec.ComputeFingerprint());
        Assert.True(result.ValidationLoss < 0.2 * result.InitialValidationLoss);
        var best = result.History.Where(p => p.Validation is not null).MinBy(p => p.Validation!.Loss)!;
        Assert.Equal(best.Step, result.ModelStep);
        Assert.Equal(
            result.ValidationLoss!.Value,
            TextToImageEvaluator.Evaluate(_model, Examples(), TinyPictures.Tokenizer, batchSize: 3, Token).Loss, 1e-5);
        var made = new TextToImageGenerator(_model, TinyPictures.Tokenizer).Generate(
            [.. s_colors.Select(color => ImagePrompt.FromText(color.Caption))], new() { Sample = false }, cancellationToken: Token);
        Assert.All(s_colors.Zip(made), pair => Assert.All(pair.Second.Codes, code => Assert.Equal(pair.First.Code, code)));
    }

    [Fact]
    public void Rows_of_new_words_are_trained_beside_adapters_and_no_others()
    {
        var id = TinyPictures.Tokenizer.Encode("red").Single(id => TinyPictures.Tokenizer.Decode([id]) == "red");
        var before = _model.CheckpointTensors().ToDictionary(t => t.Key, t => t.Value.clone());
        LowRankAdaptation.Attach(_model, new LoraOptions { Rank = 2, TrainedTokens = [id] }, seed: 1);
        Trainer(_model, Options).Train(cancellationToken: Token);
        LowRankAdaptation.Merge(_model);

        Assert.Equal(["inner.weight", "text.weight"], _model.CheckpointTensors()
            .Where(t => !t.Value.Equals(before[t.Key])).Select(t => t.Key).Order(StringComparer.Ordinal));
        var changed = (_model.CheckpointTensors().Single(t => t.Key == "text.weight").Value - before["text.weight"]).abs().sum([1]);
        Assert.Equal([id], Enumerable.Range(0, TinyPictures.Vocabulary).Where(row => changed[row].item<float>() > 0));
        foreach (var tensor in before.Values)
            tensor.Dispose();
    }

    [Fact]
    public void Captions_are_left_out_by_row_as_the_seed_says()
    {
        TextToImageRow[] rows = [.. Enumerable.Range(0, 400).Select(_ => new TextToImageRow(new int[6], new int[16]))];
        var dropped = new TextToImageRows(Options with { ConditionDropout = 0.2 }, rows, []);
        bool[] At(TextToImageRows of, int step) => [.. Enumerable.Range(0, 400).Select(row => of.Training(row, step).Text is null)];
        Assert.Equal(At(dropped, 0), At(dropped, 99)); // the same epoch
        Assert.NotEqual(At(dropped, 0), At(dropped, 100));
        Assert.InRange(At(dropped, 0).Count(isDropped => isDropped), 55, 105);
        Assert.DoesNotContain(true, At(new TextToImageRows(Options with { ConditionDropout = 0 }, rows, []), 0));
    }

    [Fact]
    public void Passes_of_fewer_rows_give_the_same_weights_and_weight_decay_spares_biases()
    {
        var options = Options with { ConditionDropout = 0, NumberOfEpochs = 1, WeightDecay = 3, AdamEpsilon = 1e-3 };
        using var single = Model(hasAdapters: false);
        Trainer(single, options).Train(cancellationToken: Token);
        using var several = Model(hasAdapters: false);
        Trainer(several, options with { BatchSize = 1, GradientAccumulationSteps = 4 }).Train(cancellationToken: Token);
        Assert.All(single.named_parameters().Zip(several.named_parameters()), pair =>
            Assert.True((pair.First.parameter - pair.Second.parameter).abs().max().item<float>() < 1e-5, pair.First.name));

        // Without a gradient AdamW shrinks a weight by rate times decay: unused rows of tables, and no bias.
        var rates = Enumerable.Range(0, 2).Select(step => 0.02 * (1 - step / 2.0));
        var kept = rates.Aggregate(1.0, (product, rate) => product * (1 - rate * 3));
        var row = TinyPictures.Vocabulary - 1;
        var (start, end) = (_model.named_parameters().First().parameter[row], single.named_parameters().First().parameter[row]);
        Assert.True((start * kept - end).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void A_run_writes_metrics_pictures_of_captions_and_a_grid_of_them()
    {
        var options = Options with
        {
            OutputDirectory = _folder["run"], SamplePrompts = ["red", "blue"], SampleGeneration = new() { TopK = 4 },
        };
        var answers = new List<int>();
        Trainer(_model, options, Examples()).Train(new Callback(p => answers.Add(p.Answers.Count)), Token);

        Assert.Equal(3, answers[^1]);
        Assert.Equal(4 * 3, Directory.GetFiles(_folder["run/answers"], "*.png").Length); // at the start and after each epoch
        var metrics = File.ReadAllLines(_folder["run/metrics.jsonl"]);
        Assert.Contains("\"loss_image\"", metrics[1], StringComparison.Ordinal);
        Assert.Contains("\"eval_loss_image\"", metrics[0], StringComparison.Ordinal);
        var page = File.ReadAllText(_folder["run/run.html"]);
        Assert.Contains("2 captions", page, StringComparison.Ordinal);
        Assert.Contains("blue", page, StringComparison.Ordinal);
        using var plain = Model(hasAdapters: false);
        Trainer(plain, Options, Examples()).Train(cancellationToken: Token);
        Assert.Equal(Bytes(plain), Bytes(_model)); // samples change nothing
    }

    [Fact]
    public void A_run_that_diverges_or_lacks_memory_ends_with_the_weights_it_began_with()
    {
        var before = _model.ComputeFingerprint();
        Assert.Throws<TrainingDivergedException>(() => Trainer(
            _model, Options with { LearningRate = 1e38, MaximumGradientNorm = 0, NumberOfEpochs = 20 }).Train(cancellationToken: Token));
        Assert.Equal(before, _model.ComputeFingerprint());
        var error = Assert.Throws<InsufficientMemoryException>(
            () => Trainer(_model, Options with { MemoryLimit = 1 }).Train(cancellationToken: Token));
        Assert.Contains("BatchSize = 1", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _model.ComputeFingerprint());
    }

    [Fact]
    public void Pictures_and_options_that_do_not_fit_are_refused()
    {
        Refuses(new("red", new int[15]), "15 codes");
        Refuses(new("red", [.. new int[15], 8]), "code 8");
        Refuses(new("red", [-1, .. new int[15]]), "code -1");
        Assert.Contains("tokenizer", Assert.Throws<ArgumentException>(
            () => new TextToImageTrainer(_model, Options, Examples())).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TextToImageTrainer(_model, Options, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => Trainer(_model, Options with { ConditionDropout = 1.5 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Trainer(_model, Options with { AdamBeta2 = 1 }));

        void Refuses(TextToImageExample example, string reason)
        {
            var error = Assert.Throws<ArgumentException>(() => new TextToImageTrainer(
                _model, Options, [Examples()[0], example], tokenizer: TinyPictures.Tokenizer));
            Assert.Contains("Row 1", error.Message, StringComparison.Ordinal);
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        }
    }

    private static TextToImageExample[] Examples() =>
        [.. s_colors.Concat(s_colors).Select(color => new TextToImageExample(color.Caption, [.. Enumerable.Repeat(color.Code, 16)]))];

    private static TextToImageTrainer Trainer(
        TinyPictures model, TextToImageTrainingOptions options, TextToImageExample[]? validation = null) =>
        new(model, options, Examples(), validation, TinyPictures.Tokenizer);

    private static TinyPictures Model(bool hasAdapters)
    {
        var model = TinyPictures.Create();
        if (hasAdapters)
            LowRankAdaptation.Attach(model, new LoraOptions { Rank = 2 }, seed: 1);
        return model;
    }

    private static List<byte[]> Bytes(TinyPictures model) => [.. model.TrainableParameters().Select(p => p.Parameter.bytes.ToArray())];

    private sealed class Callback(Action<TextToImageProgress> report) : IProgress<TextToImageProgress>
    {
        public void Report(TextToImageProgress value) => report(value);
    }
}
