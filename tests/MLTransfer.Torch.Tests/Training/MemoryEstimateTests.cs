using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>Estimates by the description of a network, without training.</summary>
public class MemoryEstimateTests
{
    private static readonly LanguageTrainingOptions s_options = new() { BatchSize = 4, Precision = Precision.Float32 };

    public static IEnumerable<TheoryDataRow<string>> Families =>
        FamilyRegistry.All.Select(family => new TheoryDataRow<string>(family.ModelType));

    [Theory]
    [MemberData(nameof(Families))]
    public void Every_family_has_an_estimate_that_follows_its_options(string modelType)
    {
        using var network = FamilyFolders.LoadFamily(modelType);
        var elements = network.parameters().Sum(p => p.numel());

        var estimate = TrainingMemory.Estimate(network, s_options, length: 8);

        Assert.Equal(4 * elements, estimate.Weights);
        Assert.Equal(4 * elements, estimate.Gradients);
        Assert.Equal(8 * elements, estimate.Optimizer);
        Assert.InRange(estimate.Runtime, 200_000_000, 20_000_000_000);
        Assert.Equal(
            estimate.Weights + estimate.Gradients + estimate.Optimizer + estimate.Activations + estimate.Runtime, estimate.Total);
        long Kept(LanguageTrainingOptions options, int length) => TrainingMemory.Estimate(network, options, length).Activations;
        Assert.InRange(Kept(s_options with { BatchSize = 400 }, 8), 20 * Kept(s_options, 8), 400 * Kept(s_options, 8));
        Assert.True(Kept(s_options with { BatchSize = 400 }, 16) > 1.5 * Kept(s_options with { BatchSize = 400 }, 8));
        Assert.True(
            Kept(s_options with { BatchSize = 400, GradientCheckpointing = true }, 16) < Kept(s_options with { BatchSize = 400 }, 16));

        LowRankAdaptation.Attach(network, new LoraOptions { Rank = 2, TargetModules = ["all-linear"] });
        var adapted = TrainingMemory.Estimate(network, s_options, length: 8);
        var adapters = network.TrainableParameters().Sum(p => p.Parameter.numel());
        Assert.Equal((4 * adapters, 8 * adapters), (adapted.Gradients, adapted.Optimizer));
    }

    [Fact]
    public void A_network_of_two_stacks_keeps_what_both_keep()
    {
        using var network = FamilyFolders.Load("t5-tiny");
        using var encoder = FamilyFolders.Load("t5-encoder-tiny");
        var options = s_options with { BatchSize = 64 };

        Assert.True(TrainingMemory.Estimate(network, options, 16).Activations
            > TrainingMemory.Estimate(encoder, options, 16).Activations * 1.5);
    }

    [Fact]
    public void A_network_without_memory_has_the_same_estimate()
    {
        using var real = FamilyFolders.LoadFamily("gpt2");
        using var meta = TransformerNetwork.Create(real.Configuration, device: META);
        var (a, b) = (TrainingMemory.Estimate(real, s_options, 16), TrainingMemory.Estimate(meta, s_options, 16));

        Assert.Equal((a.Weights, a.Gradients, a.Optimizer, a.Activations), (b.Weights, b.Gradients, b.Optimizer, b.Activations));
    }

    [Fact]
    public void Blocks_below_all_that_is_trained_keep_nothing()
    {
        using var network = FamilyFolders.LoadFamily("gpt2");
        var options = s_options with { BatchSize = 200 };
        var all = TrainingMemory.Estimate(network, options, 32);
        ParameterFreezing.FreezeAllButLastBlocks(network, 1);
        var last = TrainingMemory.Estimate(network, options, 32);

        Assert.True(last.Activations < all.Activations * 0.8);
        Assert.True(last.Optimizer < all.Optimizer);
    }

    [Fact]
    public void A_StyleGAN2_takes_more_for_larger_batches_and_pictures_and_less_in_bfloat16()
    {
        using var small = StyleGan2Model.Create(StyleGan2Model.Configure(32, channelBase: 1024, channelMaximum: 64), META);
        using var large = StyleGan2Model.Create(StyleGan2Model.Configure(64, channelBase: 2048, channelMaximum: 64), META);
        var options = new AdversarialTrainingOptions { BatchSize = 8, Precision = Precision.Float32 };
        var estimate = TrainingMemory.Estimate(small, options);

        AssertAbout(2 * estimate.Activations, options with { BatchSize = 16 });
        Assert.True(TrainingMemory.Estimate(large, options).Activations > 3 * estimate.Activations);
        AssertAbout(estimate.Activations / 2, options with { Precision = Precision.BFloat16 });

        void AssertAbout(long expected, AdversarialTrainingOptions changed) =>
            Assert.InRange(TrainingMemory.Estimate(small, changed).Activations - expected, -16, 16);
    }

    [Fact]
    public void A_network_of_layers_counts_what_its_layers_read_and_give()
    {
        using var network = TransferNetwork.Create(null, [Layer.Dense(50), Layer.Dense(10)], [100], seed: 1);
        const long elements = 100 * 50 + 50 + 50 * 10 + 10;
        var options = new ModuleTrainingOptions { BatchSize = 1000 };

        var estimate = TrainingMemory.Estimate(network, options);

        Assert.Equal((4 * elements, 4 * elements, 8 * elements), (estimate.Weights, estimate.Gradients, estimate.Optimizer));
        Assert.InRange(estimate.Activations, 4 * 1000 * (100 + 50 + 10), 4 * 1000 * 3 * (100 + 50 + 50 + 10));
        Assert.Equal(0, TrainingMemory.Estimate(
            network, options with { Optimizer = OptimizerAlgorithm.StochasticGradientDescent }).Optimizer);
        var message = Assert.Throws<InsufficientMemoryException>(() =>
            new NetworkTrainer(network, options with { MemoryLimit = 1 }).Train(
                new Described.ArrayRows([new float[100]], [new float[10]]),
                cancellationToken: TestContext.Current.CancellationToken)).Message;
        Assert.Contains("MemoryLimit = long.MaxValue", message, StringComparison.Ordinal);
    }
}
