using System.Text.Json.Nodes;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using MLTransfer.Torch.Training.Reports;
using MLTransfer.Torch.Tests.Training.Optimizers;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Images;

public sealed class DiscreteVaeTrainerTests : IDisposable
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly DiscreteVaeTrainingOptions s_options = new()
    {
        MaximumSteps = 6, BatchSize = 8, LearningRate = 2e-3, CheckpointSteps = 3, EvaluationSteps = 3,
    };

    private readonly ImageSet _images = SquarePictures.Create(48, seed: 1);
    private readonly ImageSet _heldOut = SquarePictures.Create(12, seed: 2);

    public void Dispose()
    {
        _images.Dispose();
        _heldOut.Dispose();
    }

    [Theory]
    [InlineData(null, null)] // logit-Laplace, soft
    [InlineData(ReconstructionLoss.MeanSquared, CodewordRelaxation.StraightThrough)]
    public void Training_brings_held_out_pictures_nearer_and_uses_codewords(ReconstructionLoss? loss, CodewordRelaxation? relaxation)
    {
        using var codec = SquarePictures.Codec();
        var options = s_options with
        {
            MaximumSteps = 120, LearningRate = 5e-3, CheckpointSteps = 0, EvaluationSteps = 60, ReconstructionLoss = loss,
            Relaxation = relaxation, KlWeightEnd = 0.5, TemperatureEnd = 0.25,
        };
        var result = new DiscreteVaeTrainer(codec, options, _images, _heldOut).Train(cancellationToken: Cancellation);
        var evaluations = result.History.Where(step => step.ValidationLoss is not null).ToList();
        Assert.Equal([0, 60, 120], evaluations.Select(step => step.Step));
        var (first, last) = (evaluations[0], evaluations[^1]);
        var bound = loss is null ? result.InitialValidationLoss - 1 : 0.5 * result.InitialValidationLoss; // a density may be above 1
        Assert.True(result.ValidationLoss < bound, $"{first} to {last}");
        Assert.True(last.ValidationPixelError < 0.75 * first.ValidationPixelError, $"{first} to {last}");
        Assert.InRange(last.ValidationPerplexity!.Value, 2, 24);
        Assert.InRange(last.ValidationUsedShare!.Value, 3 / 24.0, 1);
        Assert.Equal((1, 0), (result.History[1].Temperature, result.History[1].KlWeight));
        Assert.True(result.History[^1].Temperature < 0.26);
        Assert.False(codec.training);
    }

    [Theory]
    [InlineData(OptimizerAlgorithm.AdamW)]
    [InlineData(OptimizerAlgorithm.Muon)]
    [InlineData(OptimizerAlgorithm.ScheduleFreeAdamW)]
    public void A_run_that_was_stopped_and_resumed_ends_with_the_same_bits(OptimizerAlgorithm optimizer)
    {
        var chosen = s_options.With(optimizer);
        using var folder = new TemporaryFolder();
        using var whole = SquarePictures.Codec();
        using var parts = SquarePictures.Codec();
        var history = new DiscreteVaeTrainer(whole, chosen with { OutputDirectory = folder["whole"] }, _images, _heldOut)
            .Train(cancellationToken: Cancellation).History;
        var options = chosen with { OutputDirectory = folder["parts"] };
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => new DiscreteVaeTrainer(parts, options, _images, _heldOut).Train(
            new Watch(step => { if (step.Step == 4) cancellation.Cancel(); }), cancellation.Token));
        using (var saved = DiscreteVaeModel.Load(folder["parts/checkpoint-3"]))
            Assert.Equal(saved.ComputeFingerprint(), parts.ComputeFingerprint()); // as when it was last saved

        using var other = SquarePictures.Codec(seed: 2); // a saved run brings all weights
        var rest = new DiscreteVaeTrainer(other, options with { Resume = true }, _images, _heldOut)
            .Train(cancellationToken: Cancellation);
        Assert.Equal(whole.ComputeFingerprint(), other.ComputeFingerprint());
        Assert.Equal(
            history.TakeLast(3).Select(step => (step.Loss, step.ReconstructionLoss, step.ValidationLoss)),
            rest.History.Select(step => (step.Loss, step.ReconstructionLoss, step.ValidationLoss)));
        Assert.Throws<InvalidDataException>(() => new DiscreteVaeTrainer(
            other, options with { Resume = true }, _heldOut, _heldOut).Train(cancellationToken: Cancellation));
    }

    [Fact]
    public void Gradients_accumulate_over_passes_to_those_of_one_for_both_kinds_of_networks()
    {
        foreach (var create in (Func<DiscreteVaeModel>[])[
            () => SquarePictures.Codec(), () => DiscreteVaeModel.Create(Replicated(), seed: 1)])
        {
            using var one = create();
            using var two = create();
            var options = s_options with { MaximumSteps = 2, CheckpointSteps = 0, KlWeightStart = 0.1, KlWeightEnd = 0.1 };
            var whole = new DiscreteVaeTrainer(one, options, _images).Train(cancellationToken: Cancellation);
            var parts = new DiscreteVaeTrainer(two, options with { BatchSize = 2, GradientAccumulationSteps = 4 }, _images)
                .Train(cancellationToken: Cancellation);
            Assert.Equal(whole.History[0].Loss!.Value, parts.History[0].Loss!.Value, 1e-5);
            Assert.Equal(whole.History[0].KlDivergence!.Value, parts.History[0].KlDivergence!.Value, 1e-3);
            var norm = whole.History[0].GradientNorm!.Value;
            Assert.Equal(norm, parts.History[0].GradientNorm!.Value, 1e-3 * norm);
            Assert.Equal(whole.History[0].UsedShare, parts.History[0].UsedShare);
            Assert.Equal(whole.History[1].Loss!.Value, parts.History[1].Loss!.Value, 1e-3 * Math.Abs(whole.History[1].Loss!.Value));
        }
    }

    [Fact]
    public void The_best_weights_on_held_out_pictures_stay_and_what_diverges_goes_back()
    {
        using var codec = SquarePictures.Codec();
        var options = s_options with { MaximumSteps = 4, EvaluationSteps = 1, LearningRate = 0.05, CheckpointSteps = 0 };
        var result = new DiscreteVaeTrainer(codec, options, _images, _heldOut).Train(cancellationToken: Cancellation);
        Assert.Equal(result.History.Min(step => step.ValidationLoss), result.ValidationLoss);
        Assert.Equal(result.History.MinBy(step => step.ValidationLoss)!.Step, result.ModelStep);

        using var other = SquarePictures.Codec();
        var start = other.ComputeFingerprint();
        var error = Assert.Throws<TrainingDivergedException>(() => new DiscreteVaeTrainer(
            other, options with { LearningRate = 1e30, EvaluationSteps = 0 }, _images).Train(cancellationToken: Cancellation));
        Assert.InRange(error.Step, 2, 4);
        Assert.Equal(start, other.ComputeFingerprint());
    }

    [Fact]
    public void A_run_shows_pictures_and_how_codewords_are_used()
    {
        using var folder = new TemporaryFolder();
        using var codec = SquarePictures.Codec();
        var told = new List<DiscreteVaeProgress>();
        var options = s_options with { MaximumSteps = 2, CheckpointSteps = 0, OutputDirectory = folder.Path, SampleImages = 2 };
        new DiscreteVaeTrainer(codec, options, _images, _heldOut).Train(new Watch(told.Add), Cancellation);
        var answers = told[^1].Answers.Cast<MediaAnswer>().ToList();
        Assert.Equal(["picture 0", "picture 1"], answers.Select(answer => answer.Input));
        Assert.All(answers, answer => Assert.Equal([0, 0, 0, 32, 0, 0, 0, 16], answer.Content[16..24])); // 32 x 16 pixels
        var line = JsonNode.Parse(File.ReadLines(folder["metrics.jsonl"]).Last())!;
        Assert.All(
            (string[])["loss", "reconstruction_loss", "kl_divergence", "kl_weight", "temperature", "perplexity", "used_share", "grad_norm",
                "learning_rate", "eval_loss", "eval_pixel_error", "eval_perplexity", "eval_used_share", "images_per_second"],
            key => Assert.NotNull(line[key]));
        Assert.True(File.Exists(folder["run.html"]));
    }

    [Fact]
    public void Frozen_parameters_stay_and_a_checkpoint_of_the_replication_is_trained_as_it_says()
    {
        var configuration = Replicated();
        configuration["hparams"]!["straight_through"] = true;
        configuration["hparams"]!["reinmax"] = true;
        configuration["hparams"]!["smooth_l1_loss"] = true;
        configuration["hparams"]!["kl_div_loss_weight"] = 0.01;
        using var codec = DiscreteVaeModel.Create(configuration, seed: 1);
        var frozen = codec.named_parameters().Single(p => p.name == "codebook.weight").parameter;
        frozen.requires_grad = false;
        using var before = frozen.detach().clone();
        var options = s_options with { MaximumSteps = 3, CheckpointSteps = 0 };
        var said = new DiscreteVaeTrainer(codec, options, _images).Train(cancellationToken: Cancellation);
        using var same = before.equal(frozen).all();
        Assert.True(same.item<bool>());
        Assert.All(said.History, step => Assert.Equal((0.9, 0.01), (step.Temperature, step.KlWeight)));

        using var asked = DiscreteVaeModel.Create(Replicated(), seed: 1);
        asked.named_parameters().Single(p => p.name == "codebook.weight").parameter.requires_grad = false;
        var told = new DiscreteVaeTrainer(asked, options with
        {
            Relaxation = CodewordRelaxation.ReinMax, ReconstructionLoss = ReconstructionLoss.SmoothL1, KlWeightStart = 0.01,
            KlWeightEnd = 0.01, TemperatureStart = 0.9, TemperatureEnd = 0.9,
        }, _images).Train(cancellationToken: Cancellation);
        Assert.Equal(said.History.Select(step => step.Loss), told.History.Select(step => step.Loss));
    }

    [Fact]
    public void Pictures_and_options_that_do_not_fit_are_refused_by_what_is_wrong()
    {
        using var codec = SquarePictures.Codec();
        using var replicated = DiscreteVaeModel.Create(Replicated(), seed: 1);
        using var grey = SquarePictures.Create(2, seed: 1, channels: 1);
        Assert.Contains("1 channels", Refused(codec, s_options, grey), StringComparison.Ordinal);
        using var odd = new ImageSet(zeros([1, 3, 18, 18], ScalarType.Byte));
        Assert.Contains("multiples of 4", Refused(codec, s_options, odd), StringComparison.Ordinal);
        Assert.Contains("ReconstructionLoss", Refused(
            replicated, s_options with { ReconstructionLoss = ReconstructionLoss.LogitLaplace }, _images), StringComparison.Ordinal);
        using var bare = DiscreteVaeModel.Create(DiscreteVaeModel.Configure(16, 8, 3, 1, 8, 8, margin: 0), seed: 1);
        Assert.Contains("logit_laplace_eps", Refused(bare, s_options, _images), StringComparison.Ordinal);
        Assert.Contains("Precision", Refused(codec, s_options with { Precision = Precision.BFloat16 }, _images), StringComparison.Ordinal);
        Assert.Contains("TemperatureEnd", Refused(codec, s_options with { TemperatureEnd = 0 }, _images), StringComparison.Ordinal);
        Assert.Contains("KlWeightStart", Refused(codec, s_options with { KlWeightStart = -1 }, _images), StringComparison.Ordinal);
        Assert.Contains("EarlyStoppingPatience", Refused(codec, s_options with { EarlyStoppingPatience = 1 }, _images),
            StringComparison.Ordinal);
        var error = Assert.Throws<InsufficientMemoryException>(() => new DiscreteVaeTrainer(
            codec, s_options with { MemoryLimit = 1000, CheckpointSteps = 0 }, _images).Train(cancellationToken: Cancellation));
        Assert.Contains("BatchSize", error.Message, StringComparison.Ordinal);
        Assert.Equal(
            TrainingMemory.Estimate(codec, s_options with { CheckpointSteps = 0 }).Activations,
            new DiscreteVaeTrainer(codec, s_options with { CheckpointSteps = 0 }, _images).EstimateMemory().Activations);

        static string Refused(DiscreteVaeModel codec, DiscreteVaeTrainingOptions options, ImageSet images) =>
            Assert.ThrowsAny<ArgumentException>(() => new DiscreteVaeTrainer(codec, options with { CheckpointSteps = 0 }, images)).Message;
    }

    private static JsonObject Replicated() => new()
    {
        ["architecture"] = "discrete-vae",
        ["hparams"] = new JsonObject
        {
            ["image_size"] = 16, ["num_layers"] = 2, ["num_tokens"] = 12, ["codebook_dim"] = 8, ["hidden_dim"] = 8,
            ["num_resnet_blocks"] = 1,
        },
    };

    private sealed class Watch(Action<DiscreteVaeProgress> told) : IProgress<DiscreteVaeProgress>
    {
        public void Report(DiscreteVaeProgress value) => told(value);
    }
}
