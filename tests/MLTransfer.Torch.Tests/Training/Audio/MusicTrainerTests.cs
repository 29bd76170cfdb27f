using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Tests.Networks.MusicGen;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using MLTransfer.Torch.Tests.Training.Optimizers;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Audio;

public sealed class MusicTrainerTests : IDisposable
{
    private static readonly string[] s_captions = ["slow minor flute", "", "fast drums", "piano", "soft strings", "brass"];

    private readonly TinyMusic _music = new(TinyMusic.Mono);
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static MusicTrainingOptions Options => new()
    {
        Precision = Precision.Float32, LearningRate = 1e-3, NumberOfEpochs = 2, BatchSize = 2, ConditionDropout = 0.5,
    };

    public void Dispose()
    {
        _music.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false, OptimizerAlgorithm.AdamW)]
    [InlineData(true, OptimizerAlgorithm.AdamW)]
    [InlineData(true, OptimizerAlgorithm.Muon)]
    [InlineData(false, OptimizerAlgorithm.ScheduleFreeAdamW)]
    public void A_resumed_run_ends_with_the_same_weights(bool hasAdapters, OptimizerAlgorithm optimizer)
    {
        var options = Options.With(optimizer) with { CheckpointSteps = 2, OutputDirectory = _folder["run"] };
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
    }

    [Fact]
    public void The_text_encoder_and_the_codec_stay_also_after_adapters_were_merged()
    {
        LowRankAdaptation.Attach(_music.Model, new LoraOptions { Rank = 2 }, seed: 1);
        LowRankAdaptation.Merge(_music.Model);
        var before = Frozen(_music.Model);
        Trainer(_music.Model, Options).Train(cancellationToken: Token);
        Assert.Equal(before, Frozen(_music.Model));

        static List<byte[]> Frozen(MusicGenModel model) =>
            [.. model.CheckpointTensors().Where(t => !t.Key.StartsWith("decoder.", StringComparison.Ordinal)
                && !t.Key.StartsWith("enc_to_dec", StringComparison.Ordinal)).Select(t => t.Value.bytes.ToArray())];
    }

    [Fact]
    public void A_text_encoder_is_trained_where_asked_for_and_a_resumed_run_ends_with_the_same_weights()
    {
        var trained = Options with { TrainTextEncoder = true };
        var start = Of(_music.Model, "text_encoder.");
        using var whole = Model(hasAdapters: false);
        Trainer(whole, trained).Train(cancellationToken: Token);
        Assert.All(start.Zip(Of(whole, "text_encoder.")), pair => Assert.NotEqual(pair.First, pair.Second));
        Assert.Equal(Of(_music.Model, "audio_encoder."), Of(whole, "audio_encoder."));

        var options = trained with { CheckpointSteps = 2, OutputDirectory = _folder["text"] };
        using (var interrupted = Model(hasAdapters: false))
        {
            using var source = new CancellationTokenSource();
            Assert.ThrowsAny<OperationCanceledException>(() => Trainer(interrupted, options).Train(
                new Callback(p => { if (p.Step == 3) source.Cancel(); }), source.Token));
        }

        using var resumed = Model(hasAdapters: false);
        Trainer(resumed, options with { Resume = true }).Train(cancellationToken: Token);
        Assert.Equal(Of(whole, ""), Of(resumed, ""));

        Trainer(whole, Options).Train(cancellationToken: Token); // freezes it again
        Assert.Equal(Of(resumed, "text_encoder."), Of(whole, "text_encoder."));

        static List<byte[]> Of(MusicGenModel model, string part) =>
            [.. model.CheckpointTensors().Where(t => t.Key.StartsWith(part, StringComparison.Ordinal))
                .Select(t => t.Value.bytes.ToArray())];
    }

    [Fact]
    public void The_gradient_of_a_trained_text_encoder_is_that_of_the_loss()
    {
        var model = _music.Model;
        _ = new MusicTrainer(model, Options with { TrainTextEncoder = true }, Examples(), tokenizer: _music.Tokenizer);
        MusicTrainingRow[] rows = [new([5, 9], Labels(0)), new(null, Labels(3)), new([9, 4, 7], Labels(1))];
        var counts = MusicTrainingBatch.CountPredicted(rows, model.Codebooks, model.Pattern.PaddingId);
        Backward();
        using var all = TorchSharp.torch.NewDisposeScope();
        var gradients = model.named_parameters().Where(p => p.name.StartsWith("text_encoder.", StringComparison.Ordinal))
            .Select(p => (p.name, p.parameter, p.parameter.grad!.detach().clone())).ToList(); // later passes add to them
        foreach (var (name, parameter, gradient) in gradients)
        {
            using var scope = TorchSharp.torch.NewDisposeScope();
            Assert.True(gradient.isfinite().all().item<bool>(), name);
            var (step, before) = (1e-3 / (gradient.norm().item<float>() + 1e-6), parameter.detach().clone());
            var (up, down) = (LossAt(step), LossAt(-step));
            Assert.Equal(
                gradient.square().sum().item<float>(), (up - down) / (2 * step), 0.05 * gradient.square().sum().item<float>() + 1e-5);

            double LossAt(double along)
            {
                using (TorchSharp.torch.no_grad())
                    parameter.copy_(before + gradient * along);
                var loss = Backward();
                using (TorchSharp.torch.no_grad())
                    parameter.copy_(before);
                return loss;
            }
        }

        double Backward()
        {
            using var scope = TorchSharp.torch.NewDisposeScope();
            return MusicLoss.Backward(model, MusicTrainingBatch.Create(model, rows), counts, null, null);
        }

        int[][] Labels(int shift) => [.. Enumerable.Range(0, 4).Select(k => Enumerable.Range(shift + k, 6).ToArray())];
    }

    [Fact]
    public void A_text_encoder_is_not_trained_beside_adapters()
    {
        using var model = Model(hasAdapters: true);
        var error = Assert.Throws<ArgumentException>(() => Trainer(model, Options with { TrainTextEncoder = true }));
        Assert.Contains("TrainTextEncoder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Captions_are_left_out_by_row_or_by_step_as_the_seed_says()
    {
        MusicTrainingRow[] rows = [.. Enumerable.Range(0, 400).Select(_ => new MusicTrainingRow([1, 2], [[3], [3], [3], [3]]))];
        var byRow = new MusicRows(Options with { ConditionDropout = 0.2, BatchSize = 4 }, rows, []);
        bool[] Dropped(MusicRows of, int step) => [.. Enumerable.Range(0, 400).Select(row => of.Training(row, step).CaptionIds is null)];
        Assert.Equal(Dropped(byRow, 0), Dropped(byRow, 99));      // the same epoch
        Assert.NotEqual(Dropped(byRow, 0), Dropped(byRow, 100));
        Assert.InRange(Dropped(byRow, 0).Count(isDropped => isDropped), 55, 105);

        var byStep = new MusicRows(
            Options with { ConditionDropout = 0.2, BatchSize = 4, ConditionDropoutUnit = ConditionDropoutUnit.Step }, rows, []);
        var steps = Enumerable.Range(0, 400).Select(step => Dropped(byStep, step).Distinct().Single()).ToList();
        Assert.InRange(steps.Count(isDropped => isDropped), 55, 105);
        Assert.DoesNotContain(true, Dropped(new MusicRows(Options with { ConditionDropout = 0 }, rows, []), 0));
    }

    [Fact]
    public void A_run_is_evaluated_by_codebook_and_its_samples_are_sounds()
    {
        var options = Options with
        {
            OutputDirectory = _folder["run"], SamplePrompts = ["piano"],
            SampleGeneration = new MusicGenerationOptions { MaximumFrames = 8 },
        };
        var result = Trainer(_music.Model, options, validation: Examples()).Train(cancellationToken: Token);
        var last = result.History[^1].Validation!;
        Assert.Equal(4, last.CodebookLosses.Count);
        Assert.Equal(last.CodebookLosses.Average(), last.Loss, 1e-12);
        Assert.True(last.Loss < result.InitialValidationLoss);
        Assert.Equal(last.CodebookLosses.Select(Math.Exp), last.CodebookPerplexities);
        var measured = MusicEvaluator.Evaluate(_music.Model, Examples(), _music.Tokenizer, batchSize: 5, Token);
        Assert.Equal(result.ValidationLoss!.Value, measured.Loss, 1e-5);
        Assert.Equal(3, Directory.GetFiles(_folder["run/answers"], "*.wav").Length); // at the start and after each epoch
        Assert.Contains("eval_loss_codebook_3", File.ReadAllText(_folder["run/metrics.jsonl"]), StringComparison.Ordinal);
        Assert.Contains("<audio", File.ReadAllText(_folder["run/run.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Music_longer_than_a_row_is_cut()
    {
        MusicExample[] examples = [new("piano", [.. Enumerable.Range(0, 4).Select(k => Enumerable.Range(0, 25).ToArray())])];
        var rows = MusicRows.Read(_music.Model, _music.Tokenizer, examples, maximumSeconds: 0.2, "training"); // 10 frames
        Assert.Equal([13, 13, 8], rows.Select(row => row.Length));
        Assert.Equal(Enumerable.Range(10, 10), rows[1].Labels[0][..10]);
        Assert.Equal(Enumerable.Range(10, 10), rows[1].Labels[3][3..]);
    }

    [Fact]
    public void Music_that_does_not_fit_is_refused_by_its_number()
    {
        Refuses(new MusicExample("a", [[1], [1], [1]]), "codebooks");
        Refuses(new MusicExample("a", [[1], [1], [64], [1]]), "code");
        Refuses(new MusicExample("a", [[], [], [], []]), "frames");
        Assert.Contains("tokenizer", Assert.Throws<ArgumentException>(
            () => new MusicTrainer(_music.Model, Options, Examples())).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new MusicTrainer(_music.Model, Options, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MusicTrainer(_music.Model, Options with { ConditionDropout = 1.5 }, []));

        void Refuses(MusicExample example, string reason)
        {
            var error = Assert.Throws<ArgumentException>(
                () => new MusicTrainer(_music.Model, Options, [Examples()[0], example], tokenizer: _music.Tokenizer));
            Assert.Contains("Row 1", error.Message, StringComparison.Ordinal);
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_limit_of_memory_is_kept_before_any_work()
    {
        var error = Assert.Throws<InsufficientMemoryException>(
            () => Trainer(_music.Model, Options with { MemoryLimit = 1 }).Train(cancellationToken: Token));
        Assert.Contains("MemoryLimit", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Adapters_are_put_on_queries_and_values_of_the_decoder_and_saved_as_peft_does()
    {
        LowRankAdaptation.Attach(_music.Model, new LoraOptions { Rank = 4, Alpha = 8 }, seed: 3);
        Trainer(_music.Model, Options).Train(cancellationToken: Token);
        Directory.CreateDirectory(_folder["adapter"]);
        PeftAdapterFolder.Save(_music.Model, _folder["adapter"]);
        using var reference = Open(Path.Combine(_music.Folder, "lora_end"));
        using var saved = Open(_folder["adapter"]);
        Assert.Equal(reference.Tensors.Keys.Order(StringComparer.Ordinal), saved.Tensors.Keys.Order(StringComparer.Ordinal));
    }

    private static MusicExample[] Examples() =>
    [
        .. s_captions.Select((caption, row) => new MusicExample(
            caption, [.. Enumerable.Range(0, 4)
                .Select(k => Enumerable.Range(0, 8 + row).Select(t => (7 * row + 3 * k + t) % 64).ToArray())])),
    ];

    private MusicTrainer Trainer(MusicGenModel model, MusicTrainingOptions options, MusicExample[]? validation = null) =>
        new(model, options, Examples(), validation, _music.Tokenizer);

    private MusicGenModel Model(bool hasAdapters)
    {
        var model = MusicGenModel.Load(_music.Folder);
        if (hasAdapters)
            LowRankAdaptation.Attach(model, new LoraOptions { Rank = 2, Dropout = 0.1 }, seed: 1);
        return model;
    }

    private static List<byte[]> Bytes(MusicGenModel model) =>
        [.. model.TrainableParameters().Select(p => p.Parameter.bytes.ToArray())];

    private sealed class Callback(Action<MusicProgress> report) : IProgress<MusicProgress>
    {
        public void Report(MusicProgress value) => report(value);
    }

    private static SafetensorsFile Open(string folder) => SafetensorsFile.Open(Path.Combine(folder, PeftAdapterFolder.WeightsFileName));
}
