using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Audio;
using MLTransfer.Torch.Training.Reports;
using TorchSharp;
using MLTransfer.Torch.Tests.Training.Optimizers;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Audio;

[Collection(ProcessWideState.Name)]
public sealed class SpeechTrainerTests : IDisposable
{
    private readonly TemporaryFolder _folders = new();

    public void Dispose() => _folders.Dispose();

    [Theory]
    [InlineData("vits-tiny-speakers", 5, OptimizerAlgorithm.AdamW)] // between two checkpoints
    [InlineData("vits-tiny-stochastic", 1, OptimizerAlgorithm.AdamW)] // before the first
    [InlineData("vits-tiny-speakers", 5, OptimizerAlgorithm.Muon)]
    public void A_cancelled_and_resumed_run_ends_with_the_same_bits(string name, int cancelledAt, OptimizerAlgorithm optimizer)
    {
        int? speaker = name == "vits-tiny-speakers" ? 1 : null;
        using var whole = TinySpeech.Model(hasDropout: true, name);
        Train(whole, Options("whole"), speaker);

        using var interrupted = TinySpeech.Model(hasDropout: true, name);
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Train(interrupted, Options("interrupted"), speaker, report =>
        {
            if (report.Step == cancelledAt)
                cancellation.Cancel();
        }, cancellation));
        if (cancelledAt > 2)
        {
            using var saved = VitsModel.Load(_folders["interrupted/checkpoint-4"]);
            Assert.Equal(saved.ComputeFingerprint(), interrupted.ComputeFingerprint());
        }

        using var resumed = TinySpeech.Model(hasDropout: true, name);
        var result = Train(resumed, Options("interrupted") with { Resume = true }, speaker);
        AssertSame(TinySpeech.Bytes(whole), TinySpeech.Bytes(resumed));
        Assert.Equal(cancelledAt > 2 ? 2 : 6, result.History.Count);

        SpeechTrainingOptions Options(string folder) => TinySpeech.Options(_folders[folder]).With(optimizer) with
        {
            AverageDecay = 0.5,
        };
    }

    [Fact]
    public void A_run_that_is_cancelled_and_keeps_no_files_leaves_every_bit_as_it_was()
    {
        using var model = TinySpeech.Model();
        model.Discriminator = SpeechDiscriminator.Create(8, seed: 1);
        var start = TinySpeech.Bytes(model);
        using var cancellation = new CancellationTokenSource();
        var exception = Assert.Throws<OperationCanceledException>(() => Train(
            model, TinySpeech.Options(), 1, _ => cancellation.Cancel(), cancellation));
        Assert.Contains("step 1", exception.Message);
        AssertSame(start, TinySpeech.Bytes(model));
    }

    [Fact]
    public void Before_the_first_adversarial_step_the_discriminator_neither_learns_nor_is_heard()
    {
        using var model = TinySpeech.Model();
        model.Discriminator = SpeechDiscriminator.Create(8, seed: 1);
        var (network, discriminator) = (model.ComputeFingerprint(), Judge());
        var alone = Train(model, TinySpeech.Options() with { FirstAdversarialStep = 6 }, 1).History;
        Assert.All(alone, report => Assert.True(report is { DiscriminatorLoss: null, AdversarialLoss: null, FeatureLoss: null }));
        Assert.All(alone, report => Assert.Equal(
            report.GeneratorLoss!.Value, (report.MelLoss + report.DurationLoss + report.DivergenceLoss)!.Value, 1e-3));
        Assert.NotEqual(network, model.ComputeFingerprint());
        Assert.Equal(discriminator, Judge());

        var later = Train(model, TinySpeech.Options() with { FirstAdversarialStep = 4 }, 1).History;
        Assert.Equal([5, 6], later.Where(report => report.DiscriminatorLoss is not null).Select(report => report.Step));
        Assert.NotEqual(discriminator, Judge());

        List<byte[]> Judge() => [.. model.Discriminator!.parameters().Select(parameter => parameter.bytes.ToArray())];
    }

    [Fact]
    public void A_discriminator_is_stored_in_the_type_of_its_network()
    {
        using var model = TinySpeech.Model();
        model.Discriminator = SpeechDiscriminator.Create(8, seed: 1);
        var folder = Directory.CreateDirectory(_folders["half"]).FullName;
        model.Save(folder, ScalarType.Float16);
        using (var file = SafetensorsFile.Open(Path.Combine(folder, SpeechDiscriminator.FileName)))
            Assert.All(file.Tensors.Values, tensor => Assert.Equal(ScalarType.Float16, tensor.DataType));
        using var stored = VitsModel.Load(folder);
        foreach (var (first, second) in model.Discriminator.parameters().Zip(stored.Discriminator!.parameters()))
            Assert.True(first.allclose(second, rtol: 1e-3, atol: 1e-4));
    }

    [Fact]
    public void Steps_cut_into_passes_learn_the_same()
    {
        var (whole, cut) = (TinySpeech.Model(), TinySpeech.Model());
        using var scope = NewDisposeScope();
        var options = TinySpeech.Options() with { NumberOfEpochs = 1, Shuffle = false, GroupByLength = false, LearningRate = 1e-5 };
        var first = Train(whole, options with { BatchSize = 6 }, 1).History[0];
        var second = Train(cut, options with { BatchSize = 2, GradientAccumulationSteps = 3 }, 1).History[0];
        foreach (var (one, other) in (IEnumerable<(double?, double?)>)[
            (first.MelLoss, second.MelLoss), (first.DivergenceLoss, second.DivergenceLoss), (first.DurationLoss, second.DurationLoss),
            (first.AdversarialLoss, second.AdversarialLoss), (first.FeatureLoss, second.FeatureLoss),
            (first.DiscriminatorLoss, second.DiscriminatorLoss), (first.GeneratorGradientNorm, second.GeneratorGradientNorm)])
        {
            Assert.InRange(other!.Value / one!.Value, 1 - 2e-3, 1 + 2e-3); // the tails of padded rows see other numbers behind them
        }

        whole.Dispose();
        cut.Dispose();
    }

    [Fact]
    public void A_run_leaves_checkpoints_that_speak_samples_that_sound_and_a_voice_that_is_closer()
    {
        using var model = TinySpeech.Model();
        var options = TinySpeech.Options(_folders.Path) with
        {
            NumberOfEpochs = 10, CheckpointSteps = 30, LearningRate = 2e-3, EvaluationSteps = 15, SegmentSize = 512,
            SampleTexts = [new SpeechRequest("a cab") { Speaker = 1 }],
        };
        var heard = new List<MediaAnswer>();
        var result = new SpeechTrainer(model, TinySpeech.Tokenizer, options, TinySpeech.Rows(), TinySpeech.Rows(2)).Train(
            new Callback(report => heard.AddRange(report.Answers.Cast<MediaAnswer>())), TestContext.Current.CancellationToken);
        Assert.True(result.ValidationMelLoss < 0.8 * result.InitialValidationMelLoss,
            $"{result.ValidationMelLoss} after {result.InitialValidationMelLoss}");
        Assert.Equal(
            ["answers", "answers.jsonl", "checkpoint-30", "loss.png", "metrics.jsonl", "run.html"],
            Directory.GetFileSystemEntries(_folders.Path).Select(Path.GetFileName).Order());
        Assert.Equal(3, heard.Count);
        Assert.All(heard, answer => Assert.Equal("RIFF"u8.ToArray(), answer.Content[..4]));

        using var saved = VitsModel.Load(_folders["checkpoint-30"]);
        var tokenizer = SpeechTokenizer.Load(_folders["checkpoint-30"]);
        Assert.NotNull(saved.Discriminator);
        var speech = new SpeechOptions { Speaker = 1, Seed = options.Seed };
        var sound = new SpeechGenerator(saved, tokenizer).Generate("a cab", speech, TestContext.Current.CancellationToken);
        Assert.Equal(WaveformFile.ToBytes(sound), heard[^1].Content);
    }

    [Fact]
    public void A_new_speaker_is_learned_by_its_row_alone()
    {
        using var one = TinySpeech.Model(name: "vits-tiny-stochastic");
        using var model = one.WithSpeakers(2, seed: 4);
        ParameterFreezing.FreezeByName(
            model, [.. model.named_parameters().Select(p => p.name)
                .Where(name => !name.Contains("cond") && name != "embed_speaker.weight")]);
        var before = TinySpeech.Bytes(model);
        Train(model, TinySpeech.Options() with { WeightDecay = 0 }, speaker: 1);
        var changed =
            TinySpeech.Bytes(model).Where(tensor => before.TryGetValue(tensor.Key, out var old) && !old.SequenceEqual(tensor.Value))
            .Select(tensor => tensor.Key).ToList();
        Assert.Contains("embed_speaker.weight", changed);
        Assert.All(changed, name => Assert.True(name.Contains("cond") || name == "embed_speaker.weight", name));
    }

    [Fact]
    public void The_characters_of_a_new_language_are_trained_beside_adapters()
    {
        using var scope = NewDisposeScope();
        var tokenizer = TinySpeech.Tokenizer.WithCharacters(["ß"]);
        var id = tokenizer.VocabularySize - 1;
        using var old = TinySpeech.Model();
        using var model = old.WithVocabulary(tokenizer.VocabularySize);
        LowRankAdaptation.Attach(model, new LoraOptions { Rank = 2, TrainedTokens = [id], TrainedModules = ["upsampler.0"] }, seed: 2);
        var table = model.get_parameter("text_encoder.embed_tokens.weight")!.clone();
        var rows = TinySpeech.Rows().Select(row => row with { Text = row.Text + "ß" }).ToList();
        var options = TinySpeech.Options(_folders["adapters"]);
        new SpeechTrainer(model, tokenizer, options, rows).Train(cancellationToken: TestContext.Current.CancellationToken);

        var trained = model.get_parameter("text_encoder.embed_tokens.weight")!;
        Assert.True(table.narrow(0, 0, id).equal(trained.narrow(0, 0, id)).all().item<bool>());
        Assert.False(table[id].allclose(trained[id]));
        Assert.True(
            old.get_parameter("decoder.conv_pre.weight")!.equal(model.get_parameter("decoder.conv_pre.weight")!).all().item<bool>());

        Assert.False(old.get_parameter("decoder.upsampler.0.weight")!.allclose(model.get_parameter("decoder.upsampler.0.weight")!));

        using var loaded = old.WithVocabulary(tokenizer.VocabularySize);
        PeftAdapterFolder.Load(loaded, _folders["adapters/checkpoint-6"]);
        Assert.Equal(
            Say(model, tokenizer),
            Say(loaded, SpeechTokenizer.Load(_folders["adapters/checkpoint-6"])));

        static float[] Say(VitsModel voice, SpeechTokenizer characters) => new SpeechGenerator(voice, characters).Generate(
            "aß", new SpeechOptions { Speaker = 1, NoiseScale = 0 }, TestContext.Current.CancellationToken).Samples.ToArray();
    }

    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using var model = TinySpeech.Model(hasDropout: true);
        var counts = new List<long>();
        Train(model, TinySpeech.Options() with { NumberOfEpochs = 3 }, 1, _ =>
            counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount));
        Assert.Equal(9, counts.Count);
        Assert.All(counts.Skip(2), count => Assert.Equal(counts[1], count));
    }

    [Fact]
    public void Rows_that_cannot_be_learned_are_refused_by_number_and_reason()
    {
        using var model = TinySpeech.Model();
        var good = TinySpeech.Rows(1)[0];
        Assert.Contains("row 1 has a sound of 8000", Refused(good with { Sound = new Waveform(new float[4000], 8000) }));
        Assert.Contains("channels", Refused(good with { Sound = new Waveform(new float[4000], 16000, 2) }));
        Assert.Contains(
            "sample 7 is NaN", Refused(good with { Sound = new Waveform([.. new float[7], float.NaN, .. new float[4000]], 16000) }));
        Assert.Contains("10 samples", Refused(good with { Sound = new Waveform(new float[10], 16000) }));
        Assert.Contains("no character", Refused(good with { Text = "?!" }));
        Assert.Contains("20 frames", Refused(good with { Text = "this is too long", Sound = new Waveform(new float[320], 16000) }));
        Assert.Contains("no speaker", Refused(good with { Speaker = null }));
        Assert.Contains("WithSpeakers", Refused(good with { Speaker = 3 }));
        Assert.Contains("SegmentSize", Assert.Throws<ArgumentException>(() => new SpeechTrainer(
            model, TinySpeech.Tokenizer, TinySpeech.Options() with { SegmentSize = 100 }, [good])).Message);
        Assert.Contains("Precision", Assert.Throws<ArgumentException>(() => new SpeechTrainer(
            model, TinySpeech.Tokenizer, TinySpeech.Options() with { Precision = MLTransfer.Torch.Training.Precision.BFloat16 },
                [good])).Message);
        var needed = new SpeechTrainer(model, TinySpeech.Tokenizer, TinySpeech.Options(), [good]).EstimateMemory();
        Assert.True(needed.Activations > 0, needed.ToString());
        var memory = Assert.Throws<InsufficientMemoryException>(
            () => Train(model, TinySpeech.Options() with { MemoryLimit = needed.Weights + needed.Runtime }, 1));
        Assert.Contains("MemoryLimit", memory.Message);

        string Refused(SpeechExample bad) => Assert.ThrowsAny<ArgumentException>(
            () => new SpeechTrainer(model, TinySpeech.Tokenizer, TinySpeech.Options(), [good, bad])).Message;
    }

    [Fact]
    public void A_clip_shorter_than_a_segment_is_followed_by_silence_and_learned()
    {
        using var model = TinySpeech.Model();
        var result = Train(model, TinySpeech.Options() with { SegmentSize = 4096, MaximumSteps = 1 }, 1);
        Assert.True(double.IsFinite(result.History[0].MelLoss!.Value));
    }

    private static SpeechTrainingResult Train(
        VitsModel model, SpeechTrainingOptions options, int? speaker, Action<SpeechProgress>? report = null,
        CancellationTokenSource? cancellation = null) =>
        new SpeechTrainer(
            model, TinySpeech.TokenizerOf(model.HasStochasticDurations ? "vits-tiny-stochastic" : "vits-tiny-speakers"), options,
            TinySpeech.Rows(speaker: speaker)).Train(
                report is null ? null : new Callback(report), cancellation?.Token ?? TestContext.Current.CancellationToken);

    private static void AssertSame(Dictionary<string, byte[]> expected, Dictionary<string, byte[]> actual)
    {
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected, tensor => Assert.True(tensor.Value.AsSpan().SequenceEqual(actual[tensor.Key]), tensor.Key));
    }

    private sealed class Callback(Action<SpeechProgress> report) : IProgress<SpeechProgress>
    {
        public void Report(SpeechProgress value) => report(value);
    }
}
