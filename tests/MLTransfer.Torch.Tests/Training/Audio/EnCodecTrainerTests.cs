using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using MLTransfer.Torch.Training.Reports;
using MLTransfer.Torch.Tests.Training.Optimizers;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Audio;

public class EnCodecTrainerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly Waveform[] s_sounds = TinyTones.Create(12, seed: 0);
    private static readonly Waveform[] s_heldOut = TinyTones.Create(4, seed: 1000);

    private static readonly EnCodecTrainingOptions s_options = new()
    {
        MaximumSteps = 6, BatchSize = 4, SegmentSeconds = 0.4, LearningRate = 1e-3, CheckpointSteps = 3, EvaluationSteps = 3,
        Discriminator = new() { Windows = [128, 64], Filters = 4, UpdateShare = 0.5 },
    };

    [Fact]
    public void Training_brings_held_out_sounds_nearer_and_keeps_codebooks_in_use()
    {
        using var codec = TinyTones.Codec();
        var options = s_options with
        {
            MaximumSteps = 60, BatchSize = 8, LearningRate = 2e-3, Discriminator = null, CheckpointSteps = 0, EvaluationSteps = 20,
        };
        var result = new EnCodecTrainer(codec, options, s_sounds, s_heldOut).Train(cancellationToken: Cancellation);
        var evaluations = result.History.Where(step => step.ValidationMelLoss is not null).ToList();
        Assert.Equal([0, 20, 40, 60], evaluations.Select(step => step.Step));
        var (afterSome, last) = (evaluations[1], evaluations[^1]);
        Assert.True(result.MelLoss < 0.6 * result.InitialMelLoss, $"{result.InitialMelLoss} to {result.MelLoss}");
        Assert.True(result.MelLoss < afterSome.ValidationMelLoss, $"{afterSome.ValidationMelLoss} to {result.MelLoss}");
        Assert.Equal(2, last.ValidationPerplexities.Count);
        Assert.All(last.ValidationPerplexities, perplexity => Assert.InRange(perplexity, 8, 32));
        Assert.All(last.ValidationUsedShares, share => Assert.InRange(share, 0.5, 1));
        Assert.Equal([1, 2], result.History.Select(step => step.Codebooks).OfType<int>().Distinct().Order()); // a bandwidth a step
        Assert.False(codec.training);
        using var codes = codec.Encode(s_heldOut[0], bandwidth: 0.5);
        Assert.Equal(s_heldOut[0].Frames, Assert.Single(codec.DecodeSounds(codes)).Frames);
    }

    [Theory]
    [InlineData(OptimizerAlgorithm.AdamW)]
    [InlineData(OptimizerAlgorithm.Adafactor)]
    [InlineData(OptimizerAlgorithm.ScheduleFreeAdamW)]
    public void A_run_that_was_stopped_and_resumed_ends_with_the_same_bits(OptimizerAlgorithm optimizer)
    {
        var chosen = s_options.With(optimizer);
        using var folder = new TemporaryFolder();
        using var whole = TinyTones.Codec();
        using var parts = TinyTones.Codec();
        var start = whole.ComputeFingerprint();
        var history =
            new EnCodecTrainer(whole, chosen with { OutputDirectory = folder["whole"] }, s_sounds, s_heldOut)
                .Train(cancellationToken: Cancellation).History;
        Assert.Contains(history, step => step.DiscriminatorLoss is not null);
        Assert.Contains(history, step => step is { DiscriminatorLoss: null, AdversarialLoss: not null });

        var options = chosen with { OutputDirectory = folder["parts"] };
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => new EnCodecTrainer(parts, options, s_sounds, s_heldOut).Train(
            new Watch(step => { if (step.Step == 4) cancellation.Cancel(); }), cancellation.Token));
        using (var saved = EnCodecModel.Load(folder["parts/checkpoint-3"]))
            Assert.Equal(saved.ComputeFingerprint(), parts.ComputeFingerprint()); // as when it was last saved

        using var other = TinyTones.Codec(seed: 2); // a saved run brings all weights
        var rest = new EnCodecTrainer(other, options with { Resume = true }, s_sounds, s_heldOut).Train(cancellationToken: Cancellation);
        Assert.Equal(whole.ComputeFingerprint(), other.ComputeFingerprint());
        Assert.NotEqual(start, other.ComputeFingerprint());
        Assert.Equal(history.TakeLast(3).Select(step => step.MelLoss), rest.History.Select(step => step.MelLoss));
        Assert.Throws<InvalidDataException>(() => new EnCodecTrainer(
            other, options with { Resume = true }, [.. s_sounds.Reverse()], s_heldOut).Train(cancellationToken: Cancellation));
    }

    [Fact]
    public void Gradients_accumulate_over_passes_and_both_parts_of_normalized_weights_learn()
    {
        using var codec = TinyTones.Codec();
        var before = codec.named_parameters().ToDictionary(p => p.name, p => p.parameter.detach().clone());
        var options = s_options with { MaximumSteps = 1, BatchSize = 2, GradientAccumulationSteps = 2, CheckpointSteps = 0 };
        new EnCodecTrainer(codec, options, s_sounds).Train(cancellationToken: Cancellation);
        foreach (var (name, parameter) in codec.named_parameters())
        {
            using var same = before[name].equal(parameter).all();
            Assert.False(same.item<bool>(), name);
        }
    }

    [Fact]
    public void The_best_weights_on_held_out_sounds_stay()
    {
        using var codec = TinyTones.Codec();
        var options = s_options with
        {
            MaximumSteps = 3, EvaluationSteps = 1, LearningRate = 10, Discriminator = null, CheckpointSteps = 0, BalanceGradients = false,
        };
        var result = new EnCodecTrainer(codec, options, s_sounds, s_heldOut).Train(cancellationToken: Cancellation);
        Assert.Equal(result.History.Min(step => step.ValidationMelLoss), result.MelLoss);
        Assert.Equal(result.History.MinBy(step => step.ValidationMelLoss)!.Step, result.ModelStep);
    }

    [Fact]
    public void A_run_reports_sounds_and_how_codebooks_are_used()
    {
        using var folder = new TemporaryFolder();
        using var codec = TinyTones.Codec();
        var told = new List<EnCodecProgress>();
        var options = s_options with { MaximumSteps = 2, CheckpointSteps = 0, OutputDirectory = folder.Path, SampleSounds = 2 };
        new EnCodecTrainer(codec, options, s_sounds, s_heldOut).Train(new Watch(step =>
        {
            Assert.Equal(System.Runtime.GCLatencyMode.Batch, System.Runtime.GCSettings.LatencyMode); // see BackgroundCollection
            told.Add(step);
        }), Cancellation);
        var answers = told[^1].Answers.Cast<MediaAnswer>().ToList();
        Assert.Equal(["sound 0", "sound 1"], answers.Select(answer => answer.Input));
        Assert.All(answers, answer => Assert.Equal("RIFF"u8.ToArray(), answer.Content[..4]));
        var line = JsonNode.Parse(File.ReadLines(folder["metrics.jsonl"]).Last())!;
        Assert.All((string[])["mel_loss", "perplexity", "used_share", "eval_mel_loss", "eval_perplexity_1", "samples_per_second"],
            key => Assert.NotNull(line[key]));
        Assert.True(File.Exists(folder["run.html"]));
    }

    [Fact]
    public void Sounds_and_options_that_do_not_fit_are_refused_by_what_is_wrong()
    {
        using var codec = TinyTones.Codec();
        Assert.Contains("Sound 1 has 8000", Refused(s_options, s_sounds[0], new Waveform([0], 8000)), StringComparison.Ordinal);
        Assert.Contains("Sound 0 is empty", Refused(s_options, new Waveform([], 2000)), StringComparison.Ordinal);
        Assert.Contains("Sample 1 of channel 0 of sound 0", Refused(s_options, new Waveform([0, float.NaN], 2000)),
            StringComparison.Ordinal);
        Assert.Contains("no sounds", Refused(s_options), StringComparison.Ordinal);
        Assert.Contains("SegmentSeconds", Refused(s_options with { SegmentSeconds = 0.001 }, s_sounds), StringComparison.Ordinal);
        Assert.Contains("Windows", Refused(s_options with { Discriminator = new() { Windows = [126] } }, s_sounds),
            StringComparison.Ordinal);
        Assert.Contains("Windows", Refused(s_options with { Discriminator = new() { Windows = [2048] } }, s_sounds),
            StringComparison.Ordinal);
        Assert.Contains("Precision", Refused(s_options with { Precision = Precision.BFloat16 }, s_sounds), StringComparison.Ordinal);
        Assert.Throws<InsufficientMemoryException>(() => new EnCodecTrainer(
            codec, s_options with { MemoryLimit = 1000, CheckpointSteps = 0 }, s_sounds).Train(cancellationToken: Cancellation));

        string Refused(EnCodecTrainingOptions options, params Waveform[] sounds) =>
            Assert.ThrowsAny<ArgumentException>(() => new EnCodecTrainer(codec, options with { CheckpointSteps = 0 }, sounds)).Message;
    }

    [Fact]
    public void Silence_and_sounds_shorter_than_a_segment_are_trained_on()
    {
        using var codec = TinyTones.Codec();
        Waveform[] sounds = [new(new float[4000], 2000), new([0.5f], 2000), .. TinyTones.Create(1, seed: 5, samples: 300)];
        var result = new EnCodecTrainer(
            codec, s_options with { MaximumSteps = 2, CheckpointSteps = 0, LearningRateSchedule = LearningRateSchedule.Cosine },
                sounds).Train(cancellationToken: Cancellation);
        Assert.All(result.History, step => Assert.True(double.IsFinite(step.MelLoss!.Value)));
        Assert.Null(result.MelLoss);
    }

    private sealed class Watch(Action<EnCodecProgress> told) : IProgress<EnCodecProgress>
    {
        public void Report(EnCodecProgress value) => told(value);
    }
}
